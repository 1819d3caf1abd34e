"""Writes questions as QTI 1.2 in a content package, which Canvas imports.

Canvas: Settings, Import course content, QTI .zip file.
"""

import io
import zipfile
from xml.etree import ElementTree as ET

from coursework.bank.moodle import feedback, number, paragraphs, with_head

SPACE = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"


def qti(questions, title):
    """Return the XML of an assessment."""
    root = ET.Element("questestinterop", xmlns=SPACE)
    assessment = ET.SubElement(root, "assessment", ident="bank", title=title)
    section = ET.SubElement(assessment, "section", ident="root_section")
    for question in questions:
        put(section, question)
    return with_head(root)


def package(questions, title):
    """Return the bytes of the zip: the assessment and its manifest."""
    files = {"imsmanifest.xml": manifest(), "bank/bank.xml": qti(questions, title)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            undated = zipfile.ZipInfo(name)
            archive.writestr(undated, text.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def manifest():
    """Return the manifest of a package with one assessment."""
    root = ET.Element("manifest", xmlns=PACKAGE, identifier="jachess_bank")
    metadata = ET.SubElement(root, "metadata")
    ET.SubElement(metadata, "schema").text = "IMS Content"
    ET.SubElement(metadata, "schemaversion").text = "1.1.3"
    ET.SubElement(root, "organizations")
    resources = ET.SubElement(root, "resources")
    resource = ET.SubElement(
        resources, "resource", identifier="bank", type="imsqti_xmlv1p2",
        href="bank/bank.xml",
    )  # fmt: skip
    ET.SubElement(resource, "file", href="bank/bank.xml")
    return with_head(root)


def put(section, question):
    """Add one item."""
    item = ET.SubElement(
        section, "item", ident=question.name, title=f"{question.name}: {question.title}"
    )
    kind = "multiple_choice_question" if question.choices else "numerical_question"
    fields = ET.SubElement(ET.SubElement(item, "itemmetadata"), "qtimetadata")
    for label, entry in (("question_type", kind), ("points_possible", "1")):
        field = ET.SubElement(fields, "qtimetadatafield")
        ET.SubElement(field, "fieldlabel").text = label
        ET.SubElement(field, "fieldentry").text = entry
    presentation = ET.SubElement(item, "presentation")
    material(presentation, paragraphs(question.text))
    options = question.choices or (None, *question.wrong)
    idents = [f"a{n + 1}" for n in range(len(options))]
    (choice if question.choices else blank)(presentation, question, options, idents)
    processing = ET.SubElement(item, "resprocessing")
    outcomes = ET.SubElement(processing, "outcomes")
    ET.SubElement(
        outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE",
        vartype="Decimal",
    )  # fmt: skip
    for option, ident in zip(options, idents, strict=True):
        respond(processing, question, option, ident)
    for option, ident in zip(options, idents, strict=True):
        told = ET.SubElement(item, "itemfeedback", ident=f"{ident}_fb")
        material(ET.SubElement(told, "flow_mat"), feedback(option))


def choice(presentation, question, options, idents):
    """Add the options of a choice, in their order."""
    response = ET.SubElement(
        presentation, "response_lid", ident="response1", rcardinality="Single"
    )
    rendered = ET.SubElement(response, "render_choice", shuffle="No")
    for option, ident in zip(options, idents, strict=True):
        label = ET.SubElement(rendered, "response_label", ident=ident)
        material(label, number(question.key if option is None else option.value))


def blank(presentation, question, options, idents):
    """Add the place for a number."""
    response = ET.SubElement(
        presentation, "response_str", ident="response1", rcardinality="Single"
    )
    rendered = ET.SubElement(response, "render_fib", fibtype="Decimal")
    ET.SubElement(rendered, "response_label", ident="answer1")


def respond(processing, question, option, ident):
    """Add what an answer is worth and what it is told."""
    condition = ET.SubElement(processing, "respcondition", {"continue": "No"})
    when = ET.SubElement(condition, "conditionvar")
    if question.choices:
        ET.SubElement(when, "varequal", respident="response1").text = ident
    else:
        value = question.key if option is None else option.value
        near = question.tolerance if option is None else 0.005 * abs(value)
        both = ET.SubElement(when, "and")
        for tag, limit in (("vargte", value - near), ("varlte", value + near)):
            ET.SubElement(both, tag, respident="response1").text = f"{limit:.10g}"
    score = "100" if option is None else "0"
    ET.SubElement(condition, "setvar", action="Set", varname="SCORE").text = score
    ET.SubElement(
        condition, "displayfeedback", feedbacktype="Response", linkrefid=f"{ident}_fb"
    )


def material(element, text):
    """Add a text."""
    found = ET.SubElement(ET.SubElement(element, "material"), "mattext")
    found.set("texttype", "text/html")
    found.text = text
