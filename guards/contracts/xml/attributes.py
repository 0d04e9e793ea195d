"""The attributes of the `xml:` prefix, which every XML Schema may use and no document has to bring.

Schemas import them from an address that is never opened; what stands there is known (XML 1.0, XML Base, xml:id).
"""

from __future__ import annotations

from typing import Final

from guards.reading.xml_shape import XML, SimpleType

__all__ = ["XML_ATTRIBUTES", "XML_SCHEMA", "XSD"]

XSD: Final = "http://www.w3.org/2001/XMLSchema"
_SPACES: Final = ("default", "preserve")
XML_ATTRIBUTES: Final = {
    "lang": SimpleType("string", "text", "union", members=(SimpleType("language"), SimpleType(enumeration=("",)))),
    "space": SimpleType("NCName", enumeration=_SPACES),
    "base": SimpleType("anyURI"),
    "id": SimpleType("ID"),
}
XML_SCHEMA: Final = f"""<xs:schema xmlns:xs="{XSD}" targetNamespace="{XML}">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>
</xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName"><xs:enumeration value="default"/>
<xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup></xs:schema>"""
