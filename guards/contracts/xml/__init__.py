"""Contracts of answers in XML: XML Schema, RELAX NG, and a type or JSON Schema written as XML."""
