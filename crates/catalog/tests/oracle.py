"""Validates TOML files against a JSON schema by the Python implementation: one line for each file, `ok` or `bad`."""
import json, sys, tomllib
from jsonschema import Draft202012Validator

with open(sys.argv[1]) as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        document = tomllib.load(file)
    print("bad" if list(validator.iter_errors(document)) else "ok")
