#!/usr/bin/env bash
# Expected: in a module that Cython compiles with freethreading_compatible, `d.get(key)` is as safe as in Python: in builds
#   without the global lock, dict.get takes a reference of its own under the dict's lock.
# What happens: where d is typed as a dict, the generated C borrows the value (PyDict_GetItemWithError) and takes its
#   reference afterwards (Py_INCREF). A thread that replaces the value in between may free it first. The same line on an
#   untyped d calls the method, which is safe.
# Why it matters: caches of compiled modules are typed dicts, and the directive tells Python to leave its lock off. Values
#   that may be replaced need a lock, or `setdefault`, so that none is ever freed while the dict lives.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check Cython==3.3.1
cat >"$dir/look.pyx" <<'EOF'
# cython: language_level=3, freethreading_compatible=True
cdef dict typed = {}
untyped = {}

def of_typed(key):
    return typed.get(key)

def of_untyped(key):
    return untyped.get(key)
EOF
"$dir/venv/bin/cython" --version 2>&1
"$dir/venv/bin/cython" "$dir/look.pyx" -o "$dir/look.c"
"$dir/venv/bin/python" - "$dir/look.c" <<'EOF'
import re
import sys

code = open(sys.argv[1]).read()
helper = code[code.rindex("static PyObject* __Pyx_PyDict_GetItemDefault(") :]
helper = helper[: helper.index("#else")]
print(re.sub(r"\n\s*", "\n    ", helper))
functions = re.findall(r"\n(static PyObject \*__pyx_pf_\w+?_\d*of_(typed|untyped)\([^;{]*\{.*?\n\})", code, re.S)
uses = {kind: "__Pyx_PyDict_GetItemDefault" in body for body, kind in functions}
print("d.get by this helper:", uses)
assert "PyMutex" not in helper and "CRITICAL_SECTION" not in helper
assert helper.index("PyDict_GetItemWithError") < helper.index("Py_INCREF")
assert uses == {"typed": True, "untyped": False}
EOF
