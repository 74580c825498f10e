"""`python -m services.gateway serve`."""

import argparse

from services.gateway.main import serve

parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Foci's gateway.")
parser.add_argument("command", choices=("serve",), help="serve HTTP")
parser.parse_args()
serve()
