"""What firmware's own functions are called with keeps its name in what a board gets."""

import ast

from fleet.sim import image


def foreign_keywords(trees):
    """[(file, source, keyword)] of the keywords in calls that no function of ours takes."""
    nodes = [(where, node) for where, tree in trees.items() for node in ast.walk(tree)]
    ours = {node.arg for _, node in nodes if isinstance(node, ast.arg)}
    given = [(*where, each.arg) for where, node in nodes if isinstance(node, ast.Call) for each in node.keywords]
    return [row for row in given if row[2] and row[2] not in ours]


def foreign_attributes(trees, modules):
    """[(file, source, attribute)] of what is read of modules that are not ours, and of what is read of that: `sys.implementation._machine`."""
    rows = []
    for where, tree in trees.items():
        imported = [alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        foreign = {alias.asname or alias.name for alias in imported if alias.name not in modules}
        for node in ast.walk(tree):
            root = node
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(node, ast.Attribute) and isinstance(root, ast.Name) and root.id in foreign:
                rows.append((*where, node.attr))
    return rows


def test_attributes_of_firmwares_modules_are_not_respelt():
    files, speller = image.prepared()
    trees = {(path, name): ast.parse(text) for path, texts in files.items() for name, text in texts.items()}
    found = foreign_attributes(trees, {path.removesuffix(".py").rpartition("/")[2] for path in files})
    assert {"_machine", "platform", "mem_free"} <= {attribute for *_, attribute in found}
    found = [row for row in found if row[2] != "monotonic_ns"]  # CPython's alone
    assert [row for row in found if row[2] in speller.shared or row[2] in speller.words[speller.unit[row[:2]]]] == []


def test_keywords_for_firmware_are_not_respelt():
    files, speller = image.prepared()
    trees = {(path, name): ast.parse(text) for path, texts in files.items() for name, text in texts.items()}
    found = foreign_keywords(trees)
    assert "cadata" in {keyword for *_, keyword in found}
    assert [row for row in found if row[2] in speller.shared or row[2] in speller.words[speller.unit[row[:2]]]] == []
