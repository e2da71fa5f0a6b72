"""Checks the SBOM of an image against its files: ROOT CREATED. Says each mistake, and fails if there is one.

That it is SPDX 2.3: the fields that are required, ids that exist and are unique, licence expressions, checksums, each
package's verification code. That it is complete: every file of the image is one of exactly one package.
"""
import hashlib
import json
import os
import re
import sys

SBOM = "usr/share/sbom/wsproxy.spdx.json"
SPDX_LICENCE = r"0BSD|Apache-2\.0|BSD-[234]-Clause|BSL-1\.0|CC0-1\.0|[AL]?GPL-\d\.\d-(only|or-later)|ISC|MIT|MPL-2\.0|X11|Zlib"
PACKAGE_URL = (r"pkg:(generic/wsproxy@[A-Za-z0-9.~%-]+"
               r"|deb/debian/[a-z0-9.%B-]+@[A-Za-z0-9.:~%-]+\?arch=\w+&distro=debian-\d+(&upstream=[^&+]+)?)")
RELATIONS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK", "DEPENDS_ON"}
mistakes = []


def expect(condition, text):
    if not condition:
        mistakes.append(text)


def files_of(root):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                yield os.path.relpath(path, root), path


def check_document(document, created):
    expect(document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0", "it is not SPDX 2.3 under CC0-1.0")
    expect(document["SPDXID"] == "SPDXRef-DOCUMENT" and document["name"], "the document has no id or name")
    expect(re.fullmatch(r"https://[^#\s]+", document["documentNamespace"]), "the namespace is no URI")
    expect(document["creationInfo"]["created"] == created, f"created {document['creationInfo']['created']}, not {created}")
    expect(document["creationInfo"]["creators"], "it has no creator")
    ids = [one["SPDXID"] for one in document["packages"] + document["files"]] + [document["SPDXID"]]
    expect(len(ids) == len(set(ids)), "an id is there twice")
    for one in ids:
        expect(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one), f"{one} is no id")
    for relation in document["relationships"]:
        expect(relation["relationshipType"] in RELATIONS, f"unknown relation {relation}")
        expect({relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(ids), f"of what is not there: {relation}")


def check_packages(document):
    texts = {one["licenseId"] for one in document["hasExtractedLicensingInfos"] if one["extractedText"]}
    related = {one["relatedSpdxElement"] for one in document["relationships"]}
    used = set()
    for package in document["packages"]:
        name = package["name"]
        expect(package["versionInfo"] and package["downloadLocation"], f"{name} lacks a version or download location")
        expect(package["SPDXID"] in related, f"nothing relates to {name}")
        for licence in re.split(r"\(|\)| AND | OR ", package["licenseDeclared"]):
            used.add(licence)
            known = licence in texts | {"", "NOASSERTION"} or re.fullmatch(SPDX_LICENCE, licence)
            expect(known, f"{name} has an unknown licence '{licence}'")
        locator = package["externalRefs"][0]["referenceLocator"]
        expect(re.fullmatch(PACKAGE_URL, locator), f"{name} has the package URL {locator}")
    expect(texts <= used, f"texts of licences that no package has: {texts - used}")


def check_files(document, root):
    owners = {}
    for relation in document["relationships"]:
        if relation["relationshipType"] == "CONTAINS":
            owners.setdefault(relation["relatedSpdxElement"], []).append(relation["spdxElementId"])
    listed = {}
    sums = {}
    for one in document["files"]:
        name = one["fileName"]
        listed[name.removeprefix("./")] = {sum["algorithm"]: sum["checksumValue"] for sum in one["checksums"]}
        owner = owners.get(one["SPDXID"], [])
        expect(len(owner) == 1, f"{name} is of the packages {owner}")
        if "/lib" in name and ".so" in name:
            expect(owner and owner != ["SPDXRef-Package-wsproxy"], f"{name} is of no Debian package")
        for package in owner:
            sums.setdefault(package, []).append(listed[name.removeprefix("./")]["SHA1"])
    there = {name: path for name, path in files_of(root) if name != SBOM}
    expect(set(there) == set(listed), f"files that are only there or only listed: {sorted(set(there) ^ set(listed))}")
    for name in set(there) & set(listed):
        with open(there[name], "rb") as file:
            content = file.read()
        for algorithm, value in listed[name].items():
            expect(hashlib.new(algorithm.lower(), content).hexdigest() == value, f"{name} has another {algorithm}")
    for package in document["packages"]:
        of_files = sums.get(package["SPDXID"], [])
        expect(package["filesAnalyzed"] == bool(of_files), f"{package['name']}: filesAnalyzed is wrong")
        if of_files:
            code = hashlib.sha1("".join(sorted(of_files)).encode()).hexdigest()
            said = package["packageVerificationCode"]["packageVerificationCodeValue"]
            expect(said == code, f"{package['name']}: wrong verification code")


def main():
    root, created = sys.argv[1:]
    with open(os.path.join(root, SBOM), encoding="utf-8") as file:
        document = json.load(file)
    check_document(document, created)
    check_packages(document)
    check_files(document, root)
    for mistake in mistakes:
        print(f"check_sbom: {mistake}", file=sys.stderr)
    return 1 if mistakes else 0


sys.exit(main())
