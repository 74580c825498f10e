"""`python -m services.gateway serve|openapi`."""

import argparse
import json
import sys

from shared.kit.loading import load
from shared.kit.settings import from_environment

parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Foci's gateway.")
parser.add_argument("command", choices=("serve", "openapi"), help="serve HTTP, or print the OpenAPI document")
command = parser.parse_args().command
if command == "serve":
    # First of all: whoever is told wrongly says so at once, without what the gateway is made of.
    from_environment(load("services.gateway.settings").Settings)
main = load("services.gateway.main")
if command == "serve":
    main.serve()
else:
    json.dump(main.openapi_document(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
