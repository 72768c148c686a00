//! Packages that the real rpmbuild makes, read by us and compared with what rpm says.

#![allow(clippy::unwrap_used)]

mod support;

use lazuli_rpm::{FileFlags, Metadata, Package, PackageBuilder, PackageKind, ScriptletKind, Tag};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use support::{Rpm, has, relations, run};

const SPEC: &str = r#"
Name: oracle
Version: 1.2~rc1
Release: 3
Epoch: 2
Summary: An oracle
License: MIT
URL: https://example.org
Vendor: Somebody
Packager: Me <me@example.org>
BuildArch: noarch
Requires: foo >= 1, (bar or (baz with qux))
Requires(pre): /bin/sh
Recommends: rec
Suggests: sug = 1
Supplements: sup
Enhances: enh
Conflicts: con < 2
Obsoletes: obs < 1
Provides: prov = 2
VCS: git:x
%description
First line.

Second.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc %{buildroot}/usr/share/oracle/empty
echo hi > %{buildroot}/usr/bin/a
ln %{buildroot}/usr/bin/a %{buildroot}/usr/bin/b
ln %{buildroot}/usr/bin/a %{buildroot}/usr/bin/z
ln -s a %{buildroot}/usr/bin/c
head -c 100000 /dev/zero > %{buildroot}/usr/share/oracle/zeros
echo conf > %{buildroot}/etc/o.conf
touch %{buildroot}/etc/ghost %{buildroot}/usr/share/oracle/zero
echo "x" > %{buildroot}/usr/share/oracle/ünï
cp %{buildroot}/usr/share/oracle/ünï %{buildroot}/usr/bin/capable
%pre
echo pre
%post -p /sbin/ldconfig
%postun -p <lua>
print("gone")
%files
%defattr(-,root,root)
/usr/bin/a
/usr/bin/b
/usr/bin/c
/usr/bin/z
%attr(4755,root,root) %caps(cap_net_raw=ep) /usr/bin/capable
%config(noreplace) /etc/o.conf
%ghost /etc/ghost
%dir %attr(1777,daemon,adm) /usr/share/oracle
/usr/share/oracle/ünï
/usr/share/oracle/zero
%doc /usr/share/oracle/zeros
%dir /usr/share/oracle/empty
%changelog
* Tue Jan 02 2024 Me <me@x> - 2
- newer
* Mon Jan 01 2024 Me <me@x> - 1
- older
"#;

/// Builds the package with a payload of some kind; returns the binary and the source package.
fn rpmbuild(rpm: &Rpm, payload: &str) -> (PathBuf, PathBuf) {
    let spec = rpm.write("oracle.spec", SPEC.as_bytes());
    run(Command::new("rpmbuild")
        .args(["-ba", "--quiet", "--define"])
        .arg(format!("_topdir {}", rpm.path("top").display()))
        .args(["--define", &format!("_binary_payload {payload}")])
        .arg(spec));
    let name = "oracle-1.2~rc1-3";
    let top = rpm.path("top");
    (
        top.join(format!("RPMS/noarch/{name}.noarch.rpm")),
        top.join(format!("SRPMS/{name}.src.rpm")),
    )
}

fn unpack(package: &Package<'_>, metadata: &Metadata) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut contents = BTreeMap::new();
    let mut payload = package.payload(metadata).unwrap();
    while let Some(mut entry) = payload.next_entry().unwrap() {
        let names: Vec<_> = entry.links().iter().copied().chain([entry.index()]).collect();
        let content = entry.read_content().unwrap();
        for name in names {
            let file = &metadata.files[name];
            if file.is_regular() {
                assert!(contents.insert(file.path.clone(), content.clone()).is_none());
            }
        }
    }
    contents
}

#[test]
fn agrees_with_rpm_on_its_own_packages() {
    if !has("rpmbuild") {
        return;
    }
    let mut seen = Vec::new();
    for payload in [
        "w3.zstdio",
        "w6.xzdio",
        "w6.lzdio",
        "w9.gzdio",
        "w9.bzdio",
        "w.ufdio",
    ] {
        let rpm = Rpm::new();
        let (path, _) = rpmbuild(&rpm, payload);
        let bytes = std::fs::read(&path).unwrap();
        let package = Package::parse(&bytes).unwrap();
        package.verify_all_digests().unwrap();
        let metadata = package.metadata().unwrap();
        let contents = unpack(&package, &metadata);
        assert_eq!(contents[&b"/usr/bin/a"[..]], b"hi\n", "{payload}");
        assert_eq!(contents[&b"/usr/bin/z"[..]], b"hi\n", "{payload}");
        assert_eq!(
            contents[&b"/usr/share/oracle/zeros"[..]],
            vec![0; 100_000],
            "{payload}"
        );
        assert!(!contents.contains_key(&b"/etc/ghost"[..]));
        assert_eq!(contents.len(), 8, "{payload}");
        seen.push(package.header().string(Tag::PAYLOADCOMPRESSOR).unwrap());
    }
    let named: Vec<_> = seen
        .iter()
        .map(|name| name.as_deref().unwrap_or("(none)"))
        .collect();
    assert_eq!(named, ["zstd", "xz", "lzma", "gzip", "bzip2", "(none)"]);
}

#[test]
fn reads_what_rpm_reads() {
    if !has("rpmbuild") {
        return;
    }
    let rpm = Rpm::new();
    let (path, source) = rpmbuild(&rpm, "w3.zstdio");
    let bytes = std::fs::read(&path).unwrap();
    let package = Package::parse(&bytes).unwrap();
    let metadata = package.metadata().unwrap();
    assert_eq!(package.headers().kind, PackageKind::Binary);
    assert_eq!(metadata.nevra.to_string(), "oracle-2:1.2~rc1-3.noarch");
    assert_eq!(metadata.description, "First line.\n\nSecond.");
    assert_eq!(metadata.source_rpm.as_deref(), Some("oracle-1.2~rc1-3.src.rpm"));
    assert_eq!(metadata.vcs, "git:x");
    for (option, ours) in relations(&metadata) {
        let ours: String = ours.iter().map(|d| format!("{d}\n")).collect();
        assert_eq!(ours, rpm.query(&path, &[option]), "{option}");
    }
    let format = "[%{FILENAMES} %{FILEMODES:octal} %{FILEUSERNAME} %{FILEGROUPNAME} %{LONGFILESIZES} %{FILEMTIMES} %{FILEINODES} %{FILECAPS}\n]";
    let line = |f: &lazuli_rpm::FileEntry| {
        let path = String::from_utf8_lossy(&f.path);
        format!(
            "{path} {:o} {} {} {} {} {} {}\n",
            f.mode, f.user, f.group, f.size, f.mtime, f.inode, f.capabilities
        )
    };
    let ours: String = metadata.files.iter().map(line).collect();
    assert_eq!(ours, rpm.query(&path, &["--qf", format]));
    assert_eq!(
        metadata.installed_size().to_string(),
        rpm.query(&path, &["--qf", "%{LONGSIZE}"])
    );
    let configuration = metadata.files.iter().find(|f| f.path == b"/etc/o.conf").unwrap();
    assert!(
        configuration
            .flags
            .contains(FileFlags::CONFIG | FileFlags::NOREPLACE)
    );

    let scriptlets: Vec<_> = metadata
        .scriptlets
        .iter()
        .map(|s| (s.kind, s.interpreter.join(" "), s.body.as_str()))
        .collect();
    assert_eq!(
        scriptlets,
        [
            (ScriptletKind::Pre, "/bin/sh".to_owned(), "echo pre"),
            (ScriptletKind::Post, "/sbin/ldconfig".to_owned(), ""),
            (ScriptletKind::PostUn, "<lua>".to_owned(), "print(\"gone\")"),
        ]
    );

    let bytes = std::fs::read(source).unwrap();
    let package = Package::parse(&bytes).unwrap();
    assert_eq!(package.headers().kind, PackageKind::Source);
    let metadata = package.metadata().unwrap();
    assert_eq!(metadata.source_rpm, None);
    assert_eq!(metadata.files[0].path, b"oracle.spec");
    assert_eq!(unpack(&package, &metadata)[&b"oracle.spec"[..]], SPEC.as_bytes());
}

/// We write the same tags as rpmbuild, in the same shape, but for those that say how it was built.
#[test]
fn writes_what_rpmbuild_writes() {
    if !has("rpmbuild") {
        return;
    }
    let rpm = Rpm::new();
    let (path, _) = rpmbuild(&rpm, "w3.zstdio");
    let bytes = std::fs::read(&path).unwrap();
    let theirs = Package::parse(&bytes).unwrap();
    let metadata = theirs.metadata().unwrap();
    let contents = unpack(&theirs, &metadata);
    let built = PackageBuilder::new(metadata.clone())
        .build(&contents, None)
        .unwrap();
    let bytes = built.to_bytes();
    let ours = Package::parse(&bytes).unwrap();

    let left_out = [
        Tag::COOKIE,
        Tag::OPTFLAGS,
        Tag::FILECOLORS,
        Tag::FILECLASS,
        Tag::CLASSDICT,
        Tag::SOURCEPKGID,
    ];
    for entry in theirs
        .header()
        .entries()
        .iter()
        .filter(|e| !left_out.contains(&e.tag))
    {
        let own = ours
            .header()
            .entry(entry.tag)
            .unwrap_or_else(|| panic!("{} is missing", entry.tag));
        assert_eq!(own.kind, entry.kind, "type of {}", entry.tag);
        let differs = [
            Tag::PAYLOADDIGEST,
            Tag::PAYLOADDIGESTALT,
            Tag::REQUIRENAME,
            Tag::REQUIREVERSION,
            Tag::REQUIREFLAGS,
        ];
        if !differs.contains(&entry.tag) {
            assert_eq!(
                ours.header().data(own),
                theirs.header().data(entry),
                "data of {}",
                entry.tag
            );
        }
    }
    let known = |tag| theirs.header().contains(tag);
    let more: Vec<_> = ours
        .header()
        .entries()
        .iter()
        .map(|e| e.tag)
        .filter(|&tag| !known(tag))
        .collect();
    assert_eq!(more, [], "tags that rpmbuild does not write");
    for entry in ours.signature().entries() {
        let other = theirs.signature().entry(entry.tag).unwrap();
        assert_eq!(
            (other.kind, other.count),
            (entry.kind, entry.count),
            "shape of {}",
            entry.tag
        );
    }
    // What we read back is what we were given, but for rpmlib(PartialHardlinkSets), which we never need.
    let mut expected = metadata;
    expected
        .requires
        .retain(|d| !d.name.contains("PartialHardlinkSets"));
    assert_eq!(ours.metadata().unwrap(), built.metadata);
    assert_eq!(built.metadata.requires, expected.requires);
    assert_eq!(built.metadata.files, expected.files);
    assert_eq!(unpack(&ours, &built.metadata), contents);
}
