"""Joins the device's modules for the board: those that are always loaded together become one file, under the name of one of them.

A module costs 250 to 300 bytes of heap beside its code: its object, its dictionary, three interned names, and again each name that it
imports. Modules belong together if they are of one package and the same entries bring them in at once; an entry is what something imports
while it runs, by statement or by a name put together from texts. All that the agent imports at its start is one file. So nothing is
loaded earlier or later than the sources say. In a joined file a module's names end in its own, and imports between its members are gone.

Packages cost as much as modules, and every name with dots in it is interned beside its parts; so is the path that a module was loaded from. On
the board ``mpwasm.wire.update`` is the module ``r_update`` of the agent's archive, which main.py there puts on the path.
"""

import ast
import re

AGENT = "mpwasm.agent.supervisor"  # what main.py imports
LETTERS = {"agent": "a", "native": "n", "wasi": "i", "wasm": "w", "wire": "r"}  # what a package is called on the board


class LinkError(RuntimeError):
    """The sources do what a joined file can't; the text says where."""


class Source:
    """One file: its `tree`, the modules of ours that it imports when it is itself imported (`needs`), those that it imports later (`later`),
    the `texts` that it spells, those that are, or begin, names of modules that it imports by ``__import__`` (`heads`), and the names that its
    body binds, but for imports (`own`)."""

    def __init__(self, path, text):
        self.name, self.tree = dotted(path), ast.parse(text)
        self.package = self.name.rpartition(".")[0]
        self.needs, self.later, self.texts, self.heads = set(), set(), set(), set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("mpwasm"):
                at_once = node in self.tree.body
                (self.needs if at_once else self.later).update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.texts.update([node.value, *node.value.split()])
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
                spelt = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
                self.heads |= {text for text in spelt if text.startswith("mpwasm.")}
        self.own = {name for statement in self.tree.body if not isinstance(statement, _IMPORTS) for name in bound(statement)}


_IMPORTS = (ast.Import, ast.ImportFrom)
_DOTTED = re.compile(rf"mpwasm\.({'|'.join(LETTERS)})\.[a-z0-9_]*$")


def flat(name):
    """What a module of ours, or the beginning of its name, is called on the board; any other text as it is."""
    if not _DOTTED.match(name):
        return name
    _, package, rest = name.split(".", 2)
    return f"{LETTERS[package]}_{rest}"


def starter(text):
    """The board's main.py, of which `text` is the source."""
    old = f"from {AGENT} "
    if text.count(old) != 1:
        raise LinkError(f"main.py: {old} is not there once")
    return text.replace(old, f"from {flat(AGENT)} ")


def dotted(path):
    """The module's name of a path below /lib."""
    return path.removesuffix(".py").replace("/", ".")


def bound(node):
    """The names that a statement binds in its own scope."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, _IMPORTS):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.DictComp, ast.SetComp)):
        return set()
    names = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return names.union(*map(bound, ast.iter_child_nodes(node)))


def closure(start, edges):
    """All that is reached from `start`, itself included."""
    seen, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += edges[name]
    return seen


class Plan:
    """Which modules are one file: `root` {module: module that names its file}, `members` {root: modules, what they need first}."""

    def __init__(self, sources):
        self.sources = sources
        needs = {name: sorted(source.needs & set(sources)) for name, source in sources.items()}
        entries = self._entries(needs)
        core = closure(AGENT, needs)
        whole = {name: closure(name, needs) for name in sources}
        self.root, self.members, groups = {}, {}, {}
        for name, source in sources.items():
            reached = AGENT if name in core else frozenset(entry for entry in entries if name in whole[entry])
            groups.setdefault((reached, None if name in core else source.package), []).append(name)
        for group in groups.values():
            order = sorted(group, key=lambda name: (len(whole[name] & set(group)), name))
            root = max(order, key=lambda name: (name == AGENT, name in entries, len(whole[name] & set(group))))
            self.root.update(dict.fromkeys(group, root))
            self.members[root] = order
        self._check()

    def _entries(self, needs):
        """Modules that are imported by something that runs, or by nothing of ours."""
        texts = set().union(*[source.texts for source in self.sources.values()])
        heads = set().union(*[source.heads for source in self.sources.values()])
        spelt = {head + text for head in heads for text in {"", *texts}}
        later = set().union(*[source.later for source in self.sources.values()])
        needed = set().union(*needs.values())
        return {name for name in self.sources if name in later or name in spelt or name not in needed}

    def _check(self):
        """A text stands for the file of the module that it names: it must not be the agent's own, which would be dropped."""
        for source in self.sources.values():
            for text in source.texts & set(self.root):
                if self.root[text] == AGENT != text:
                    raise LinkError(f"{source.name} names {text} in a text, but it is part of {AGENT}")

    def alone(self, name):
        """Whether a module is the only one of its file, or names none of ours: a file that only uses them."""
        return len(self.members.get(self.root.get(name), ())) < 2

    def called(self, module, name):
        """What the name of a module is called in its file."""
        if self.alone(module) or self.root[module] == module or name == "const":  # which mpy-cross folds under that name only
            return name
        short = module.rpartition(".")[2]
        same = [each for each in self.root if each.endswith("." + short)]
        return f"{name}_{short if len(same) == 1 else module.removeprefix('mpwasm.').replace('.', '_')}"



class _Member(ast.NodeTransformer):
    """One source rewritten for its file. `table` is {name: new name}, for all that its body binds or imports: new names occur nowhere else in
    the file, so it doesn't matter that locals of the same name change with them. `modules` is {alias: module}, `imports` the statements that
    the file needs at its head."""

    def __init__(self, plan, source):
        self.plan, self.source = plan, source
        self.table = {name: plan.called(source.name, name) for name in source.own}
        self.modules, self.imports, self.hidden, self.depth = {}, [], set(), 0

    def fail(self, why):
        raise LinkError(f"{self.source.name}: {why}")

    def rewritten(self):
        """The statements of the body, without imports, docstrings and ``__all__``."""
        body = [each for each in self.source.tree.body if isinstance(each, _IMPORTS)]
        for each in body:
            self.imports += self._imported(each, True)
        self.depth = 1
        rest = [self.visit(each) for each in self.source.tree.body if each not in body]
        return [each for each in rest if each and not (isinstance(each, ast.Assign) and ast.unparse(each.targets[0]).startswith("__all__"))]

    # -- imports

    def _imported(self, node, head):
        """The statements that stand for an import."""
        ours = isinstance(node, ast.ImportFrom) and node.module.startswith("mpwasm")
        found = [self._one(node, alias, head) if ours else self._foreign(node, alias) for alias in node.names]
        return [each for each in found if each]

    def _foreign(self, node, alias):
        name = alias.asname or alias.name
        return type(node)(**{**vars(node), "names": [_alias(alias.name, self.table.get(name, name))]})

    def _one(self, node, alias, head):
        """One name of ours: a module, or what is in one."""
        plan, name = self.plan, alias.asname or alias.name
        module = f"{node.module}.{alias.name}"
        inner = module not in plan.root
        home = node.module if inner else module
        here = plan.root[home] == plan.root.get(self.source.name)
        if inner:
            word = plan.called(home, alias.name)
            if here:
                self.table[name] = word
                return None
            if head and not plan.alone(self.source.name) and name != "const":
                self.table[name] = f"{alias.name}_{home.rpartition('.')[2]}_"
            return ast.ImportFrom(flat(plan.root[home]), [_alias(word, self.table.get(name, name))], 0)
        self.modules[name] = module
        if here:
            return None
        if head and not plan.alone(self.source.name):
            self.table[name] = f"{alias.name}_module_"
        return ast.Import([_alias(flat(plan.root[home]), self.table.get(name, name))])

    def _within(self, node):
        return self._imported(node, False) or ast.Pass()

    visit_Import = visit_ImportFrom = _within

    # -- names

    def visit_Name(self, node):
        if node.id in self.hidden:
            return node
        if node.id in self.modules and self.plan.root[self.modules[node.id]] == self.plan.root.get(self.source.name):
            self.fail(f"the module {node.id} itself is used")
        node.id = self.table.get(node.id, node.id)
        return node

    def visit_Attribute(self, node):
        module = self.modules.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if module is None:
            return self.generic_visit(node)
        word = self.plan.called(module, node.attr)
        if self.plan.root[module] == self.plan.root.get(self.source.name):
            return ast.Name(word, node.ctx)
        node.attr = word
        return self.generic_visit(node)

    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            node.value = flat(self.plan.root.get(node.value, node.value))
        return node

    def visit_Delete(self, node):
        if any(isinstance(each, ast.Name) and each.id in self.table for each in node.targets):
            self.fail(f"`{ast.unparse(node)}` would take it from the whole file")
        return node

    def visit_Global(self, node):
        self.fail("`global` is not understood")

    def visit_arg(self, node):
        node.arg = self.table.get(node.arg, node.arg)
        return node

    def visit_keyword(self, node):
        if node.arg in self.table and self.table[node.arg] != node.arg:
            self.fail(f"`{node.arg}=` in a call is also a name of the module")
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node):
        node.name = self.table.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node):
        if node.name not in self.hidden:
            node.name = self.table.get(node.name, node.name)
        outer, self.hidden = self.hidden, set()
        self.generic_visit(node)
        self.hidden, node.body = outer, node.body or [ast.Pass()]
        return node

    def visit_ClassDef(self, node):
        node.name = self.table.get(node.name, node.name)
        node.bases = [self.visit(each) for each in node.bases]
        self.hidden = set().union(*map(bound, node.body))
        node.body = [each for each in map(self.visit, node.body) if each] or [ast.Pass()]
        self.hidden = set()
        return node


def _alias(name, local):
    return ast.alias(name, None if local == name else local)


def joined(files):
    """{path: {member: text}} of the files for the board that {path: text} become: their texts are to be put one behind the other. Those outside
    ``mpwasm/`` only use the others, and stay by themselves."""
    sources = {dotted(path): Source(path, text) for path, text in files.items()}
    plan = Plan({name: source for name, source in sources.items() if source.package.startswith("mpwasm")})
    made = {}
    for root in [*plan.members, *(name for name in sources if name not in plan.root)]:
        heads, texts = {}, {}
        for name in plan.members.get(root, [root]):
            member = _Member(plan, sources[name])
            body = member.rewritten()
            new = {line: each for each in member.imports if (line := ast.unparse(each)) not in heads}
            heads.update(new)
            texts[name] = ast.unparse(ast.fix_missing_locations(ast.Module([*new.values(), *body], [])))
        path = f"mpwasm/{flat(root).removeprefix('mpwasm.')}.py" if root in plan.root else root.replace(".", "/") + ".py"
        made[path] = texts
    return made
