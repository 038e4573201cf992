"""Write quartz.txt, the names that the real Quartz and AppKit have, from pyobjc's macOS wheels (on any system).

    python -m pip download --no-deps --only-binary=:all: --platform macosx_10_13_universal2 --python-version 3.12 \
        -d WHEELS pyobjc-framework-Quartz pyobjc-framework-Cocoa
    python tests/interfaces/refresh.py WHEELS

Each line: module, name, then the number of arguments of what can be called, or `= value` of a number.
"""

import re
import sys
import zipfile
from pathlib import Path
from unittest import mock

SOURCES = {  # the module through which we use a name -> wheel, its table of names, the names wanted
    "Quartz": [
        (
            "pyobjc_framework_quartz",
            "Quartz/CoreGraphics",
            "CGWindow|kCGWindow|kCGNullWindow|CGPreflight|CGRequest|CGRect|CGMainDisplay|CGDisplay",
        )
    ],
    "AppKit": [
        ("pyobjc_framework_cocoa", "AppKit", "NSWorkspace|NSRunningApplication|NSApplicationActivate"),
        ("pyobjc_framework_cocoa", "Foundation", r"NSRunLoop\b|NSDate\b"),  # AppKit passes on all that Foundation has
    ],
}

# Objective-C methods whose types are all ordinary need no entry in pyobjc's tables, so the wheels do not name them.
# Listed by hand from Apple's documentation of the classes.
BY_HAND = {
    "NSWorkspace": ["sharedWorkspace", "frontmostApplication", "runningApplications", "menuBarOwningApplication"],
    "NSRunningApplication": [
        "currentApplication",
        "runningApplicationWithProcessIdentifier:",
        "processIdentifier",
        "localizedName",
        "bundleIdentifier",
    ],
    "NSRunLoop": ["currentRunLoop", "mainRunLoop", "runUntilDate:"],
    "NSDate": ["date", "dateWithTimeIntervalSinceNow:"],
}


def main(folder):
    lines, used = [], set()
    for module, sources in SOURCES.items():
        for wheel, table, wanted in sources:
            file = next(Path(folder).glob(f"{wheel}-*.whl"))
            used.add("-".join(file.name.split("-")[:2]))
            text = zipfile.ZipFile(file).read(f"{table}/_metadata.py").decode()
            lines += [f"{module} {name}" for name in names(text) if re.match(wanted, name)]
    header = f"# Written by refresh.py from {', '.join(sorted(used))}; do not edit."
    Path(__file__).with_name("quartz.txt").write_text("\n".join([header, *sorted(set(lines))]) + "\n", encoding="utf8")
    print(len(set(lines)), "names")


def names(text):
    """All that one of pyobjc's tables names, as quartz.txt writes it."""
    objc, table = mock.MagicMock(arch="arm64"), {}
    with mock.patch.dict(sys.modules, objc=objc):
        exec(text, table)
    yield from (entry.split("@")[0] for entry in table["constants"].split("$"))
    yield from (entry.replace("@", " = ") for entry in table["enums"].split("$"))
    yield from (f"{name} {count(signature[0])}" for name, signature in table.get("functions", {}).items())
    methods = [[part.decode() for part in call.args[:2]] for call in objc.registerMetaDataForSelector.call_args_list]
    methods += [[owner, selector] for owner, selectors in BY_HAND.items() for selector in selectors]
    for owner, selector in methods:
        yield owner
        yield f"{owner}.{selector.replace(':', '_')} {selector.count(':')}"


def count(signature):
    """The number of arguments of a C function, from its Objective-C type encoding (the first type is the result's)."""
    text, nested = signature.decode(), r"\{[^{}]*\}|\([^()]*\)|\[[^\[\]]*\]"
    while re.search(nested, text):
        text = re.sub(nested, "i", text)  # a structure, union or array is one argument
    return len(re.findall(r"[rnNoORV]*\^*(?:@\?|\^\?|[a-zA-Z@#:*?])", text)) - 1


if __name__ == "__main__":
    main(sys.argv[1])
