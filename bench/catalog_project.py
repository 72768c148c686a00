"""Writes a project of the size of a whole distribution: component files, locks, rendered specs with patches.

Usage: catalog_project.py FOLDER [COMPONENTS]

With 7,600 components: 26,000 files and 180 MB, of which the specs have from 40 to 5,000 lines. The sizes are those of
Azure Linux 4.0 (7,583 components, of which 201 are customised by 233 overlays; 7,615 specs; 26,000 files). The same
arguments write the same bytes.
"""

import datetime
import pathlib
import random
import sys

COMPONENTS = 7_600
CUSTOMISED = 201
OVERLAYS = 233
PATCHES = 10_400
PATCH_BYTES = 11_500  # on average
LINES_MIN, LINES_MAX = 40, 5_000
LICENSES = ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-2.0-or-later", "LGPL-2.1-or-later", "MPL-2.0", "ISC", "Zlib"]
WORDS = "data stream codec index graph parser server client shell matrix signal event buffer queue cache table tree".split()
KINDS = [("lib{}", 0.30), ("python-{}", 0.20), ("perl-{}", 0.14), ("rust-{}", 0.08), ("{}-tools", 0.10), ("{}", 0.18)]


def names(count, random_):
    found = []
    kinds = [kind for kind, _ in KINDS]
    weights = [weight for _, weight in KINDS]
    for number in range(count):
        word = f"{random_.choice(WORDS)}{random_.choice(WORDS)}{number}"
        found.append(random_.choices(kinds, weights)[0].format(word))
    return found


def requirement(random_, earlier, everything):
    """A BuildRequires line. Now and then it points forwards, which makes some cycles."""
    target = random_.choice(everything if random_.random() < 0.002 else earlier)
    form = random_.random()
    if form < 0.55:
        return f"{target}-devel"
    if form < 0.70:
        return f"pkgconfig({target})"
    if form < 0.78:
        return f"pkgconfig({target}) >= 1.{random_.randrange(3)}"
    if form < 0.86:
        return f"/usr/bin/{target}"
    if form < 0.92:
        return f"({target} or {random_.choice(earlier)})"
    return f"({target}-devel if {random_.choice(earlier)})"


def preamble(name, random_, earlier, everything, patches):
    version = f"{random_.randrange(1, 9)}.{random_.randrange(30)}.{random_.randrange(10)}"
    lines = []
    if random_.random() < 0.35:
        lines += [f"%bcond_without tests", f"%bcond_with bootstrap", ""]
    if random_.random() < 0.25:
        lines += [
            f"%global majorminor %(echo skipped)" if random_.random() < 0.02 else
            f"%global majorminor %{{lua: print((string.gsub('{version}', '^(%d+%.%d+).*', '%1')))}}",
        ]
    if random_.random() < 0.20:
        lines += [
            "%define subpackage_summary() %{lua: print(rpm.expand('%{name}') .. ': ' .. arg[1])}" if random_.random() < 0.3
            else "%define subpackage_summary() %{name}: %1",
            "%define with_flag(n:) %{-n:--enable-%{-n*}}%{!-n:--disable-all}",
        ]
    lines += [
        f"Name:           {name}",
        f"Version:        {version}",
        f"Release:        {random_.randrange(1, 20)}%{{?dist}}",
        f"Summary:        The {name} {random_.choice(WORDS)}",
        f"License:        {random_.choice(LICENSES)}",
        "URL:            https://example.org/%{name}",
        "Source0:        %{url}/releases/%{name}-%{version}.tar.gz",
    ]
    lines += [f"Patch{number}:         {patch}" for number, patch in enumerate(patches)]
    lines += ["", "BuildRequires:  gcc, make", "%if %{with tests}", f"BuildRequires:  {requirement(random_, earlier, everything)}", "%endif"] \
        if "%bcond_without tests" in lines else ["", "BuildRequires:  gcc, make"]
    lines += [f"BuildRequires:  {requirement(random_, earlier, everything)}" for _ in range(min(40, int(random_.lognormvariate(1.7, 0.8))))]
    lines += [f"Requires:       {random_.choice(earlier)}" for _ in range(random_.randrange(3))]
    return lines, version


def subpackages(name, random_):
    lines = [
        "", "%description", f"{name} does what its name says.", "",
        "%package devel", "Summary: Development files of %{name}", "Requires: %{name}%{?_isa} = %{version}-%{release}",
        f"Provides: pkgconfig({name}) = %{{version}}", "", "%description devel", "Headers and libraries.",
    ]
    for number in range(random_.randrange(4) if random_.random() < 0.3 else 0):
        lines += ["", f"%package part{number}", f"Summary: Part {number}", "BuildArch: noarch" if random_.random() < 0.3 else "Requires: %{name}",
                  "", f"%description part{number}", "A part.", "", f"%files part{number}", f"%{{_datadir}}/%{{name}}/part{number}/"]
    return lines


def body(name, random_, target, so_far):
    lines = [
        "", "%prep", "%autosetup -p1", "", "%build",
        "%ifarch x86_64", "export CFLAGS=\"%{optflags} -msse2\"", "%else", "export CFLAGS=\"%{optflags}\"", "%endif",
        "%configure --disable-static", "make %{?_smp_mflags}", "",
        "%install", "make install DESTDIR=%{buildroot}", "",
        "%check", "make check", "",
    ]
    lines += ["%files", "%license COPYING", "%doc README.md", "%{_bindir}/%{name}", "%{_libdir}/lib*.so.*", "%dir %{_datadir}/%{name}"]
    changelog = max(6, int((target - so_far - len(lines)) * 0.6))
    files = max(0, target - so_far - len(lines) - changelog - 8)
    lines += [f"%{{_datadir}}/%{{name}}/file{number}.{random_.choice(['txt', 'dat', 'xml'])}" for number in range(files)]
    lines += ["", "%files devel", "%{_includedir}/%{name}/", "%{_libdir}/lib*.so", f"%{{_libdir}}/pkgconfig/{name}.pc", "", "%changelog"]
    for entry in range(changelog // 3):
        day = datetime.date(2026, 1, 1) - datetime.timedelta(days=6 * entry)
        lines += [f"* {day:%a %b %d %Y} A Person <person@example.org> - 1.{max(0, 30 - entry)}-1", f"- Update to 1.{max(0, 30 - entry)} (rhbz#{1_000_000 + entry})", ""]
    return lines


def patch_text(random_, size):
    lines, written = [], 0
    number = 0
    while written < size:
        number += 1
        part = [f"diff --git a/src/{number}.c b/src/{number}.c", f"--- a/src/{number}.c", f"+++ b/src/{number}.c", "@@ -1,20 +1,21 @@"]
        part += [f"{random_.choice(' +-')}    call_{random_.choice(WORDS)}({random_.randrange(10**6)}, buffer, sizeof(buffer));" for _ in range(21)]
        lines += part
        written += sum(map(len, part)) + len(part)
    return "\n".join(lines) + "\n"


def main():
    root = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COMPONENTS
    random_ = random.Random(count)
    everything = names(count, random_)
    patch_total = PATCHES * count // COMPONENTS
    with_patches = random_.choices(range(count), k=patch_total)
    patches = {}
    for number in with_patches:
        owned = patches.setdefault(number, [])
        owned.append(f"{len(owned) + 1:04}-{everything[number]}.patch")
    (root / "components").mkdir(parents=True, exist_ok=True)
    (root / "locks").mkdir(exist_ok=True)
    for number, name in enumerate(everything):
        folder = root / "specs" / name[0].lower() / name
        folder.mkdir(parents=True)
        earlier = everything[max(0, number - 2000):number] or everything[:1]
        own = patches.get(number, [])
        lines, version = preamble(name, random_, earlier, everything, own)
        lines += subpackages(name, random_)
        target = min(LINES_MAX, max(LINES_MIN, int(random_.lognormvariate(4.8, 1.0))))
        lines += body(name, random_, target, len(lines))
        (folder / f"{name}.spec").write_text("\n".join(lines) + "\n")
        for patch in own:
            (folder / patch).write_text(patch_text(random_, int(random_.lognormvariate(0, 0.7) * PATCH_BYTES * 0.72)))
        (root / "locks" / f"{name}.lock").write_text(
            f'version = 1\nimport-commit = "{random_.getrandbits(160):040x}"\nupstream-commit = "{random_.getrandbits(160):040x}"\n'
            f'manual-bump = 0\ninput-fingerprint = "sha256:{random_.getrandbits(256):064x}"\nresolution-input-hash = "sha256:{random_.getrandbits(256):064x}"\n')
    write_components(root, everything, random_, count)


def write_components(root, everything, random_, count):
    customised = sorted(random_.sample(range(count), CUSTOMISED * count // COMPONENTS))
    overlays = [1 + (index < OVERLAYS - CUSTOMISED) for index in range(len(customised))]
    plain = sorted(set(range(count)) - set(customised))
    lines = ["# Taken as the upstream has them.", ""]
    lines += [f"[components.{everything[number]}]" for number in plain]
    (root / "components" / "plain.toml").write_text("\n".join(lines) + "\n")
    for number, amount in zip(customised, overlays):
        name = everything[number]
        text = f"[components.{name}]\n"
        for overlay in range(amount):
            text += (f'\n[[components.{name}.overlays]]\ndescription = "What {name} must not have here, {overlay}."\n'
                     f'type = "spec-search-replace"\nregex = "--disable-static"\nreplacement = "--disable-static --without-x{overlay}"\n')
        folder = root / "components" / name
        folder.mkdir()
        (folder / f"{name}.comp.toml").write_text(text)
    (root / "lazuli.toml").write_text('''# A project of the size of a distribution, written by bench/catalog_project.py.
includes = ["components/*.toml", "components/**/*.comp.toml"]

[project]
description = "as large as a distribution"
rendered-specs-dir = "specs"
lock-dir = "locks"
default-distro = { name = "bench", version = "1" }

[distros.bench]
description = "where the specs would come from"
default-version = "1"
dist-git-base-uri = "https://example.org/rpms/$pkg.git"
lookaside-base-uri = "https://example.org/lookaside/$pkg/$filename/$hashtype/$hash/$filename"

[distros.bench.versions.1]
release-ver = "1"
dist-git-branch = "main"

[distros.bench.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "bench", version = "1" } }
''')


main()
