"""JUnit XML: valid whatever a row holds, and in the shape that GitLab and Jenkins read."""

from __future__ import annotations

import io
from xml.etree import ElementTree

from akeneo_media_cli.report import Report
from akeneo_media_cli.report.junit import write

from .samples import NASTY, hostile_items, item, report

# What junit-10.xsd of Jenkins' xUnit plugin knows of each element.
SHAPE = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped", "timestamp"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"message"},
}


def parsed(of: Report) -> ElementTree.Element:
    out = io.StringIO()
    write(of, out)
    root = ElementTree.fromstring(out.getvalue().encode("utf-8"))
    for element in root.iter():
        assert set(element.attrib) <= SHAPE[element.tag]
    return root


def test_a_case_a_row() -> None:
    statuses = ["uploaded", "unchanged", "planned", "invalid", "failed", "pending", "held", "differs"]
    rows = [item(n, status) for n, status in enumerate(statuses, 2)]
    root = parsed(report(*rows, exit_status=1))
    (suite,) = root
    assert suite.attrib == {
        "name": "akeneo-media upload",
        "tests": "8",
        "failures": "2",
        "errors": "1",
        "skipped": "3",
        "time": "9.100",
        "timestamp": "2026-11-23T10:15:00",
    }
    cases = suite.findall("testcase")
    assert [[child.tag for child in case] for case in cases] == [
        *([], ["skipped"], ["skipped"], ["error"], ["failure"], ["skipped"], [], ["failure"]),
    ]
    assert cases[4].attrib == {
        "classname": "spring.csv",
        "name": "line 6: images/6.jpg -> product sku-6 picture",
        "time": "0.410",
    }
    failure = cases[4][0]
    assert failure.attrib == {
        "type": "extension_not_allowed",
        "message": "The tiff file extension is not allowed",
    }
    assert failure.text == (
        "The tiff file extension is not allowed\n"
        "picture takes jpg, jpeg, png: convert the file, or name another attribute"
    )
    assert cases[1][0].attrib == {"message": "unchanged"}


def test_a_pending_row_says_what_kept_it() -> None:
    error = {"kind": "unavailable", "http_status": 503, "message": "Service Unavailable", "hint": ""}
    (skipped,) = parsed(report(item(2, "pending", error=error))).iter("skipped")
    assert skipped.attrib == {"message": "pending: Service Unavailable"}


def test_the_header_is_in_the_properties() -> None:
    properties = {
        p.get("name"): p.get("value") for p in parsed(report(pim=None, exit_status=5)).iter("property")
    }
    assert properties["run"] == "20261123T101500Z-3f2a"
    assert properties["exit_status"] == "5"
    assert properties["summary.bytes_sent"] == "481223"
    assert "pim.url" not in properties


def test_hostile_text_is_kept_as_xml_can() -> None:
    root = parsed(report(*hostile_items(), item(1, "unchanged", duration_seconds=-1.0)))
    messages = [failure.get("message") for failure in root.iter("failure")]
    assert len(messages) == len(NASTY)
    for text, message in zip(NASTY[:6], messages, strict=False):
        assert message == text
    assert messages[6] == "\\x1b[31mred\\x1b[0m\\x07\\x00\x9b"
    assert messages[7] == "two\nlines\r\nand\ttabs"
    assert messages[8] == "name-\\udcff\\udcfe.jpg"
    assert messages[11] == "\\ufffe\\uffff"
    assert all(len(case.get("name", "")) <= 300 for case in root.iter("testcase"))
