"""The attributes of the `xml:` prefix, which every XML Schema may use and no document has to bring.

Schemas import them from an address that is never opened; what stands there is known (XML 1.0, XML Base, xml:id).
"""

from __future__ import annotations

import copy
from typing import Any, Final

from lxml import etree

from guards.contracts.xml_shape import XML, SimpleType

__all__ = ["XML_ATTRIBUTES", "with_xml_attributes"]

_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_PLACE: Final = "guards:xml.xsd"
_SPACES: Final = ("default", "preserve")
XML_ATTRIBUTES: Final = {
    "lang": SimpleType("string", "text", "union", members=(SimpleType("language"), SimpleType(enumeration=("",)))),
    "space": SimpleType("NCName", enumeration=_SPACES),
    "base": SimpleType("anyURI"),
    "id": SimpleType("ID"),
}
_SOURCE: Final = f"""<xs:schema xmlns:xs="{_XSD}" targetNamespace="{XML}">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>
</xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName"><xs:enumeration value="default"/>
<xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup></xs:schema>"""


class _Known(etree.Resolver):
    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        # Whatever else would be opened is refused before; should anything come here, it is empty.
        return self.resolve_string(_SOURCE if system_url == _PLACE else "", context)


def with_xml_attributes(schema: Any) -> Any:
    """The schema with the `xml:` attributes at hand; itself where it does not use them."""
    imports = [node for node in schema.iter(f"{{{_XSD}}}import") if node.get("namespace") == XML]
    if not imports and not any(str(node.get("ref", "")).startswith("xml:") for node in schema.iter("*")):
        return schema
    schema = copy.deepcopy(schema)
    for node in [node for node in schema.iter(f"{{{_XSD}}}import") if node.get("namespace") == XML]:
        node.getparent().remove(node)
    schema.insert(0, etree.Element(f"{{{_XSD}}}import", {"namespace": XML, "schemaLocation": _PLACE}))
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_Known())
    return etree.fromstring(etree.tostring(schema), parser)
