"""Prints what CloudFormation makes of a template of AWS SAM: `sam.py template.yaml`.

cfn-lint does not look into the events of a function; this refuses a property that there is not.
"""

import json
import os
import sys

os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

with open(sys.argv[1]) as file:
    template = yaml_parse(file)
# `sam build` uploads what this names, and puts the address of that in its place.
template["Globals"]["Function"]["CodeUri"] = "s3://built/function.zip"
try:
    translated = Translator({}, Parser()).translate(template, {})
except InvalidDocumentException as error:
    sys.exit("\n".join(cause.message for cause in error.causes))
json.dump(translated, sys.stdout, indent=1)
