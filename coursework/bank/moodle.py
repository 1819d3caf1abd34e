"""Writes questions as Moodle XML: Question bank, Import, Moodle XML format."""

import re
from xml.etree import ElementTree as ET

from coursework.bank.question import number


def moodle(questions, category):
    """Return the XML of a quiz, whose questions go into one category."""
    quiz = ET.Element("quiz")
    first = ET.SubElement(quiz, "question", type="category")
    worded(first, "category", f"$course$/top/{category}")
    for question in questions:
        put(quiz, question)
    return with_head(quiz)


def put(quiz, question):
    """Add one question."""
    kind = "multichoice" if question.choices else "numerical"
    element = ET.SubElement(quiz, "question", type=kind)
    worded(element, "name", f"{question.name}: {question.title}")
    worded(element, "questiontext", paragraphs(question.text), "html")
    worded(element, "generalfeedback", "", "html")
    for tag, value in (
        ("defaultgrade", "1"),
        ("penalty", "0.3333333"),
        ("hidden", "0"),
    ):
        ET.SubElement(element, tag).text = value
    if question.choices:
        for tag, value in (("single", "true"), ("shuffleanswers", "false"),
                           ("answernumbering", "abc")):  # fmt: skip
            ET.SubElement(element, tag).text = value
        for option in question.choices:
            value = question.key if option is None else option.value
            answer(element, html(number(value)), option, "html")
    else:
        for option in (None, *question.wrong):
            value = question.key if option is None else option.value
            text = repr(float(f"{value:.10g}"))
            made = answer(element, text, option, "moodle_auto_format")
            near = question.tolerance if option is None else 0.005 * abs(value)
            ET.SubElement(made, "tolerance").text = f"{near:.3g}"


def answer(element, text, option, form):
    """Add one answer: right if there is no misconception, or worth nothing."""
    fraction = "100" if option is None else "0"
    made = ET.SubElement(element, "answer", fraction=fraction, format=form)
    ET.SubElement(made, "text").text = text
    worded(made, "feedback", feedback(option), "html")
    return made


def feedback(option):
    """Return what is told of an answer."""
    return "Right." if option is None else html(f"{option.says} [{option.name}]")


def worded(element, tag, text, form=None):
    """Add an element with a text in it."""
    found = ET.SubElement(element, tag, {"format": form} if form else {})
    ET.SubElement(found, "text").text = text


def html(text):
    """Return plain text and TeX as HTML: & and < are words here, also in TeX."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def paragraphs(text):
    """Return a question's text as HTML; what is between two ``` is code."""
    pieces = [html(piece.strip("\n")) for piece in text.split("```")]
    for n, piece in enumerate(pieces):
        words = re.sub(r"`(\w+)`", r"<code>\1</code>", piece)
        pieces[n] = f"<pre>{piece}</pre>" if n % 2 else f"<p>{words}</p>"
    return "".join(piece for piece in pieces if piece != "<p></p>")


def with_head(element):
    """Return an element as a text with the head of an XML file."""
    ET.indent(element, " ")
    body = ET.tostring(element, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
