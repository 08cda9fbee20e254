"""What the checks of the source share: finding files, and code without comments and strings."""

import re
from pathlib import Path

NOT_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)


def c_files(root, *folders):
    """The C files below ROOT's FOLDERS, in a stable order."""
    for folder in folders:
        yield from sorted(
            path
            for path in (Path(root) / folder).rglob("*")
            if path.suffix in (".c", ".h", ".def") and path.is_file()
        )


def code_of(path):
    """PATH's text with comments and strings blanked, so that lines keep their numbers."""
    text = path.read_text(encoding="utf-8")
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def find(root, path, pattern, what):
    """A finding for each match of PATTERN in PATH's code: 'path:line: WHAT: the line'."""
    text = path.read_text(encoding="utf-8").splitlines()
    code = code_of(path)
    for match in re.finditer(pattern, code):
        number = code.count("\n", 0, match.start()) + 1
        yield f"{path.relative_to(root)}:{number}: {what}: {text[number - 1].strip()}"


def report(name, findings):
    """Prints the findings; the exit status of the check."""
    findings = list(findings)
    for finding in findings:
        print(finding)
    print(f"{name}: {len(findings)} found" if findings else f"{name}: ok")
    return 1 if findings else 0
