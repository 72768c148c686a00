"""Writes the certificates that Mozilla trusts to name web servers: one PEM file each, from NSS's certdata.txt.

The file is a list of objects, each a list of lines `ATTRIBUTE TYPE VALUE`; a value of type MULTILINE_OCTAL follows on
lines of its own, up to END. An object of class CKO_CERTIFICATE has a certificate, one of class CKO_NSS_TRUST says what the
certificate of the same issuer and serial number is trusted for. (NSS, lib/ckfw/builtins/README.)

A third file names certificates, by their labels, that are left out all the same; each must be there to be left out.
"""

import base64
import re
import sys
from pathlib import Path


def octal(text):
    """Bytes of \\ooo escapes."""
    return bytes(int(digits, 8) for digits in re.findall(r"\\([0-7]{3})", text))


def objects(lines):
    """The objects of the file, each as a table of its attributes."""
    found, current = [], None
    for line in lines:
        words = line.rstrip("\n").split(" ", 2)
        if line.startswith("#") or len(words) < 2 or not words[0].startswith("CKA_"):
            continue
        name, kind = words[0], words[1]
        if name == "CKA_CLASS":
            current = {}
            found.append(current)
        if kind == "MULTILINE_OCTAL":
            value = bytearray()
            for part in lines:
                if part.startswith("END"):
                    break
                value += octal(part)
            current[name] = bytes(value)
        elif current is not None:
            current[name] = words[2] if len(words) > 2 else ""
    return found


def label(text):
    """A label's bytes may be written as \\xHH."""
    raw = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), text.strip('"').encode())
    return raw.decode()


def main(source, folder, distrusted):
    everything = objects(iter(Path(source).read_text(encoding="utf-8").splitlines(keepends=True)))
    key = lambda one: (one["CKA_ISSUER"], one["CKA_SERIAL_NUMBER"])
    trusted = {
        key(one)
        for one in everything
        if one["CKA_CLASS"] == "CKO_NSS_TRUST"
        if one["CKA_TRUST_SERVER_AUTH"] == "CKT_NSS_TRUSTED_DELEGATOR"
    }
    lines = Path(distrusted).read_text(encoding="utf-8").splitlines()
    left_out = {line for line in lines if line and not line.startswith("#")}
    wanted = len(trusted) - len(left_out)
    Path(folder).mkdir(parents=True)
    written = 0
    for one in everything:
        if one["CKA_CLASS"] != "CKO_CERTIFICATE" or key(one) not in trusted:
            continue
        if label(one["CKA_LABEL"]) in left_out:
            left_out.remove(label(one["CKA_LABEL"]))
            continue
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", label(one["CKA_LABEL"])).strip("_")
        body = base64.encodebytes(one["CKA_VALUE"]).decode().replace("\n", "")
        rows = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        path = Path(folder) / f"{name}.crt"
        number = 1
        while path.exists():
            number += 1
            path = Path(folder) / f"{name}_{number}.crt"
        path.write_text(f"-----BEGIN CERTIFICATE-----\n{rows}\n-----END CERTIFICATE-----\n")
        written += 1
    if left_out:
        sys.exit(f"not there to be left out: {sorted(left_out)}")
    if written != wanted:
        sys.exit(f"{wanted} certificates are trusted, and {written} are there")
    print(f"{written} certificates")


main(*sys.argv[1:])
