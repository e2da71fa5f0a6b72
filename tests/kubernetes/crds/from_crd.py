#!/usr/bin/env python3
"""Makes the strict JSON Schemas of this folder from the CustomResourceDefinitions of the projects that own them.

from_crd.py FILE...: the CRDs, of the versions that README.md names. Descriptions are left out: only what is allowed counts here.
"""

import json
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
LEFT_OUT = ("description", "x-kubernetes-validations", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type")


def strict(schema):
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    result = {key: strict(value) for key, value in schema.items() if key not in LEFT_OUT or not isinstance(value, (str, list))}
    if "properties" in result and "additionalProperties" not in result and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    return result


def main(paths):
    for path in paths:
        with open(path) as file:
            crd = yaml.safe_load(file)
        kind, group = crd["spec"]["names"]["kind"].lower(), crd["spec"]["group"].split(".")[0]
        for version in crd["spec"]["versions"]:
            if not version.get("served"):
                continue
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            with open(os.path.join(HERE, f"{kind}-{group}-{version['name']}.json"), "w") as out:
                json.dump(schema, out, separators=(",", ":"), sort_keys=True)
                out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
