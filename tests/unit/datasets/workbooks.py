"""Workbooks as Excel writes them, every cell naming a shared text. (openpyxl writes texts into the cells.)"""

from __future__ import annotations

import io
import zipfile

_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f"{_SCHEMAS}/spreadsheetml/2006/main"
_OFFICE = f"{_SCHEMAS}/officeDocument/2006/relationships"
_TYPES = f"{_SCHEMAS}/package/2006/content-types"
_LINKS = f"{_SCHEMAS}/package/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def shared_book(rows: int, chars: int) -> bytes:
    """One column, `prompt`, whose `rows` cells share a text of `chars` characters."""
    cells = (f'<c r="A{n}" t="s"><v>{min(n - 1, 1)}</v></c>' for n in range(1, rows + 2))
    listed = "".join(f'<row r="{n}">{cell}</row>' for n, cell in enumerate(cells, 1))
    overrides = {"workbook": "sheet.main", "worksheets/sheet1": "worksheet", "sharedStrings": "sharedStrings"}
    types = "".join(
        _tag("Override", PartName=f"/xl/{p}.xml", ContentType=f"{_KIND}.{k}+xml")
        for p, k in overrides.items()
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}">{types}</Types>',
        "_rels/.rels": _links(officeDocument="xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _links(
            worksheet="worksheets/sheet1.xml", sharedStrings="sharedStrings.xml"
        ),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{listed}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}"><si><t>prompt</t></si><si><t>{"y" * chars}</t></si></sst>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def _links(**targets: str) -> str:
    each = (
        _tag("Relationship", Id=f"r{n}", Type=f"{_OFFICE}/{kind}", Target=target)
        for n, (kind, target) in enumerate(targets.items())
    )
    return f'<Relationships xmlns="{_LINKS}">{"".join(each)}</Relationships>'


def _tag(name: str, **attributes: str) -> str:
    pairs = " ".join(f'{key}="{value}"' for key, value in attributes.items())
    return f"<{name} {pairs}/>"
