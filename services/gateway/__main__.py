"""`python -m services.gateway serve|openapi`."""

import argparse
import sys

from services.gateway.main import openapi, serve

parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Foci's gateway.")
parser.add_argument("command", choices=("serve", "openapi"), help="serve HTTP, or print the OpenAPI document")
if parser.parse_args().command == "serve":
    serve()
else:
    sys.stdout.write(openapi())
