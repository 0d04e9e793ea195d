"""Ways in which models break JSON: each takes a document's data and text and a source of chance, and gives a worse text.

A corruption gives None where the document has no place for it. None of them loses what was meant: a reader that is good
enough gets exactly the data back.
"""

import json
import re


def strings(text):
    """The spans of the strings of a JSON text, quotes included."""
    return [found.span() for found in re.finditer(r'"(?:[^"\\]|\\.)*"', text)]


def outside(text, change):
    """The text with `change` applied to what stands outside of strings."""
    parts, at = [], 0
    for start, end in strings(text):
        parts += [change(text[at:start]), text[start:end]]
        at = end
    return "".join([*parts, change(text[at:])])


def quoted(text, opener, closer):
    """The text with other quotes around its strings; None where a string holds one of them."""
    if any(mark in text[a + 1 : b - 1] for a, b in strings(text) for mark in (opener, closer, "\\")):
        return None
    parts, at = [], 0
    for start, end in strings(text):
        parts += [text[at:start], opener, text[start + 1 : end - 1], closer]
        at = end
    return "".join([*parts, text[at:]])


def keys_of(data):
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from keys_of(value)
    elif isinstance(data, list):
        for item in data:
            yield from keys_of(item)


def one(chance, places):
    places = list(places)
    return places[chance(len(places))] if places else None


def trailing_comma(data, text, chance):
    return outside(text, lambda part: re.sub(r"(?<=[^\s{\[,])(\s*[}\]])", r",\1", part)) if len(text) > 4 else None


def single_quotes(data, text, chance):
    return quoted(text, "'", "'")


def smart_quotes(data, text, chance):
    return quoted(text, *[("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"), ("‘", "’"), ("`", "`")][chance(6)])


def unquoted_keys(data, text, chance):
    if not all(re.fullmatch(r"[A-Za-z_]\w*", key) for key in keys_of(data)):
        return None
    return re.sub(r'"([A-Za-z_]\w*)"(?=\s*:)', r"\1", text) if '"' in text else None


def comments(data, text, chance):
    said = [" // a note, with: {marks}", " # a note", " /* a { note */"][chance(3)]
    return outside(text, lambda part: re.sub(r"(,|\{|\[)(?=\s)", lambda m: m[0] + said, part.replace(", ", ",\n")))


def python_literals(data, text, chance):
    names = {"true": "True", "false": "False", "null": "None"}
    return outside(text, lambda part: re.sub(r"\b(?:true|false|null)\b", lambda m: names[m[0]], part))


def missing_commas(data, text, chance):
    return outside(json.dumps(data, indent=1, ensure_ascii=False), lambda part: part.replace(",", ""))


def one_missing_comma(data, text, chance):
    text = json.dumps(data, indent=1, ensure_ascii=False)
    place = one(chance, [m.start() for m in re.finditer(r",\n", text)])
    return text[:place] + text[place + 1 :] if place else None


def doubled_comma(data, text, chance):
    place = one(chance, [m.start() for m in re.finditer(r",\n", json.dumps(data, indent=1, ensure_ascii=False))])
    text = json.dumps(data, indent=1, ensure_ascii=False)
    return text[:place] + "," + text[place:] if place else None


def missing_colon(data, text, chance):
    place = one(chance, [end for _, end in strings(text) if text[end : end + 1] == ":"])
    return text[:place] + text[place + 1 :] if place else None


def other_colon(data, text, chance):
    mark = [" =", " =>", ":=", "："][chance(4)]
    return outside(text, lambda part: part.replace(":", mark)) if ":" in text else None


def missing_end(data, text, chance):
    return text.rstrip("}]\n ") if text[-1:] in "}]" and re.search(r"[\"elu}\]]\s*[}\]]+$", text) else None


def extra_end(data, text, chance):
    return text + ["}", "]}", "}}}"][chance(3)]


def wrong_closer(data, text, chance):
    return text[:-1] + "]" if text.endswith("}") else None


def missing_open(data, text, chance):
    return text[1:] if text.startswith('{"') else None


def no_braces(data, text, chance):
    return text[1:-1] if text.startswith('{"') else None


def fenced(data, text, chance):
    return ["```json\n%s\n```", "~~~\n%s\n~~~", "```\n%s", "Here:\n```JSON\n%s\n```\nDone."][chance(4)].replace(
        "%s", text
    )


def tagged(data, text, chance):
    return ["<answer>%s</answer>", "<json>\n%s\n</json>", "<|start|>%s<|end|>", "JSON: %s END"][chance(4)].replace(
        "%s", text
    )


def invisible(data, text, chance):
    mark = ["\ufeff", "\u200b", "\xa0", "\u2060"][chance(4)]
    return mark + outside(text, lambda part: part.replace(" ", mark + " "))


def raw_control(data, text, chance):
    worse = re.sub(r"\\\\|\\n|\\t", lambda m: {"\\n": "\n", "\\t": "\t"}.get(m[0], m[0]), text)
    return worse if worse != text else None


def double_encoded(data, text, chance):
    return json.dumps(text)


def escaped_quotes(data, text, chance):
    return json.dumps(text)[1:-1] if '"' in text else None


def html_escaped(data, text, chance):
    return text.replace("&", "&amp;").replace('"', "&quot;") if '"' in text else None


def doubled_braces(data, text, chance):
    return "{" + text + "}" if text.startswith('{"') else None


def repeated(data, text, chance):
    return f"{text}\n{text}"


def semicolons(data, text, chance):
    return outside(text, lambda part: part.replace(",", ";"))


def assigned(data, text, chance):
    return ["const answer = %s;", "return %s", "answer = %s", "callback(%s)"][chance(4)].replace("%s", text)


def key_case(data, text, chance):
    place = one(chance, [(a, b) for a, b in strings(text) if text[b : b + 1] == ":"])
    if place is None:
        return None
    key = text[place[0] + 1 : place[1] - 1]
    worse = [key.upper(), key.title(), f" {key} ", key.replace("_", "-")][chance(4)]
    return text[: place[0] + 1] + worse + text[place[1] - 1 :]


def enveloped(data, text, chance):
    return ['{"result": %s}', "[%s]"][chance(2)].replace("%s", text)


def quoted_scalars(data, text, chance):
    return outside(text, lambda part: re.sub(r"-?\d+(?:\.\d+)?|true|false", lambda m: f'"{m[0]}"', part))


def inner_quotes(data, text, chance):
    if '\\"' not in text:
        return None
    return text.replace('\\"', '"')


def number_forms(data, text, chance):
    return outside(text, lambda part: re.sub(r"(?<![\d.\w])\d+(?![\d.eE])", lambda m: f"+{m[0]}", part))


def prose(data, text, chance):
    return [
        "Sure! Based on [1] and {placeholders}:\n\n%s\n\nI hope that helps.",
        '<think>maybe {"a": 1}?</think>\n%s',
        "%s <- that is it",
        "> note\n\n%s\n\n*end* {done}",
    ][chance(4)].replace("%s", text)


EVERY = [
    trailing_comma, single_quotes, smart_quotes, unquoted_keys, comments, python_literals, missing_commas,
    one_missing_comma, doubled_comma, missing_colon, other_colon, missing_end, extra_end, wrong_closer, missing_open,
    no_braces, fenced, tagged, invisible, raw_control, double_encoded, escaped_quotes, html_escaped, doubled_braces,
    repeated, semicolons, assigned, key_case, enveloped, quoted_scalars, inner_quotes, number_forms, prose,
]  # fmt: skip
