"""Holds what was written against the schemas beside this module."""

from pathlib import Path

from lxml import etree

SCHEMAS = Path(__file__).with_name("schemas")


def check(name, text):
    """Raise if a text is not what the schema NAME.rng asks for."""
    schema = etree.RelaxNG(etree.parse(SCHEMAS / f"{name}.rng"))
    document = etree.fromstring(text.encode())
    if not schema.validate(document):
        first = schema.error_log[0]
        raise ValueError(
            f"{name}.rng refuses line {first.line}: {first.message}; mend "
            f"coursework/bank, or the schema if the format allows it"
        )
