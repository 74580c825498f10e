"""`python -m services.gateway serve|openapi`."""

import argparse
import json
import sys

from services.gateway.main import openapi_document, serve

parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Foci's gateway.")
parser.add_argument("command", choices=("serve", "openapi"), help="serve HTTP, or print the OpenAPI document")
if parser.parse_args().command == "serve":
    serve()
else:
    json.dump(openapi_document(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
