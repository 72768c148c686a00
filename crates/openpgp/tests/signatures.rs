//! Signing and verifying, against gpg and rpm, and against what must not be accepted.

#![allow(clippy::unwrap_used)]

use lazuli_openpgp::{KeyAlgorithm, Keyring, SigningKey};
use lazuli_rpm::{
    Evr, FileEntry, FileState, Header, InstallFacts, KeyKind, Metadata, Nevra, Package, PackageBuilder,
    PackageError, Tag, Verifier as _, VerifyError, installed_header,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2024-01-01: when the keys are made.
const CREATED: u64 = 1_704_067_200;

/// 2024-07-01: when signatures are made.
const SIGNED: u64 = 1_719_792_000;

const DATA: &[u8] = b"some data, with a line\nand another \r\n and no end";

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn ed25519() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        SigningKey::generate(
            KeyAlgorithm::Ed25519,
            "Lazuli test <t@example.org>",
            time(CREATED),
        )
        .unwrap()
    })
}

/// Made once for all tests: an RSA key takes a second.
fn rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(KeyAlgorithm::Rsa4096, "Lazuli RSA test", time(CREATED)).unwrap())
}

fn ring(key: &SigningKey) -> Keyring {
    Keyring::from_bytes(key.certificate().unwrap().as_bytes()).unwrap()
}

#[allow(clippy::print_stderr)]
fn has(tool: &str) -> bool {
    let found = Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !found {
        eprintln!("SKIPPED: `{tool}` is not installed, so this test proves nothing");
    }
    found
}

fn output(command: &mut Command, home: &Path) -> Output {
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("GNUPGHOME", home);
    command.output().unwrap()
}

fn run(command: &mut Command, home: &Path) -> String {
    let output = output(command, home);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?} failed:\n{said}");
    said
}

#[test]
fn signatures_are_the_same_bytes_each_time() {
    for key in [ed25519(), rsa()] {
        let again = SigningKey::from_armored(key.to_armored().unwrap().as_bytes()).unwrap();
        let first = key.sign_detached_armored(DATA, time(SIGNED)).unwrap();
        assert_eq!(first, key.sign_detached_armored(DATA, time(SIGNED)).unwrap());
        assert_eq!(first, again.sign_detached_armored(DATA, time(SIGNED)).unwrap());
        assert_ne!(first, key.sign_detached_armored(DATA, time(SIGNED + 1)).unwrap());
        assert!(first.starts_with("-----BEGIN PGP SIGNATURE-----\n\n"), "{first}");
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert_eq!(again.certificate().unwrap(), key.certificate().unwrap());
        assert_eq!(again.to_armored().unwrap(), key.to_armored().unwrap());
        assert!(!key.certificate().unwrap().contains("PRIVATE"));
    }
    assert_eq!(ed25519().kind(), KeyKind::EdDsa);
    assert_eq!(rsa().kind(), KeyKind::Rsa);
}

#[test]
fn own_signatures_verify() {
    for key in [ed25519(), rsa()] {
        let ring = ring(key);
        let info = {
            let signature = key.sign_detached(DATA, time(SIGNED)).unwrap();
            ring.verify_detached(DATA, &signature, time(SIGNED + 10)).unwrap()
        };
        assert_eq!(info.fingerprint, key.fingerprint());
        assert_eq!(info.signing_key, key.fingerprint());
        assert_eq!(info.created, time(SIGNED));
        assert!(info.user_id.starts_with("Lazuli"));
        let armored = key.sign_detached_armored(DATA, time(SIGNED)).unwrap();
        assert_eq!(
            ring.verify_detached(DATA, armored.as_bytes(), time(SIGNED))
                .unwrap(),
            info
        );
        assert_eq!(ring.verify(DATA, armored.as_bytes()).unwrap(), info);
    }
}

#[test]
fn wrong_signatures_are_refused() {
    let (key, other) = (ed25519(), rsa());
    let ring = ring(key);
    let signature = key.sign_detached(DATA, time(SIGNED)).unwrap();
    let check = |data: &[u8], signature: &[u8], at| ring.verify_detached(data, signature, time(at));

    let changed = check(&DATA[1..], &signature, SIGNED).unwrap_err();
    assert!(
        matches!(&changed, VerifyError::Bad { reasons } if reasons[0].contains(&key.fingerprint())),
        "{changed}"
    );
    let unknown = check(DATA, &other.sign_detached(DATA, time(SIGNED)).unwrap(), SIGNED).unwrap_err();
    let VerifyError::UnknownKey { tried } = &unknown else {
        panic!("{unknown}")
    };
    assert!(
        other.fingerprint().ends_with(&tried[0]) || other.fingerprint() == tried[0],
        "{unknown}"
    );
    // From the future, beyond what clocks differ.
    assert!(matches!(
        check(DATA, &signature, SIGNED - 86_400),
        Err(VerifyError::Bad { .. })
    ));
    // Made before its key was.
    let early = key.sign_detached(DATA, time(CREATED - 86_400)).unwrap();
    assert!(matches!(
        check(DATA, &early, SIGNED),
        Err(VerifyError::Bad { .. })
    ));
    for nothing in [
        &b""[..],
        b"no signature",
        b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n",
    ] {
        assert!(check(DATA, nothing, SIGNED).is_err());
    }
    // The key itself is no signature.
    assert!(check(DATA, key.certificate().unwrap().as_bytes(), SIGNED).is_err());
    for at in 0..signature.len() {
        let mut damaged = signature.clone();
        damaged[at] ^= 4;
        if let Ok(info) = check(DATA, &damaged, SIGNED) {
            // The two bytes of the hash's start are a hint only, which is not signed.
            assert_eq!(info.fingerprint, key.fingerprint());
            assert!(
                at + 70 > signature.len() - 2,
                "byte {at} of {} does not matter",
                signature.len()
            );
        }
        assert!(check(DATA, &signature[..at], SIGNED).is_err(), "cut to {at}");
    }
}

#[test]
fn of_two_signatures_one_suffices() {
    let both = [
        rsa().sign_detached(DATA, time(SIGNED)).unwrap(),
        ed25519().sign_detached(DATA, time(SIGNED)).unwrap(),
    ]
    .concat();
    for key in [ed25519(), rsa()] {
        let info = ring(key).verify_detached(DATA, &both, time(SIGNED)).unwrap();
        assert_eq!(info.fingerprint, key.fingerprint());
    }
    let mut merged = ring(rsa());
    merged.merge(ring(ed25519()));
    assert_eq!(
        merged.fingerprints(),
        [rsa().fingerprint(), ed25519().fingerprint()]
    );
    assert!(merged.verify_detached(DATA, &both, time(SIGNED)).is_ok());
}

/// A home for gpg with a key made by it; returns its public certificate.
fn gpg_key(home: &Path, user: &str, expire: &str) -> String {
    let faked = format!("{CREATED}!");
    run(
        Command::new("gpg")
            .args([
                "--batch",
                "--quiet",
                "--passphrase",
                "",
                "--faked-system-time",
                &faked,
            ])
            .args(["--quick-gen-key", user, "ed25519", "sign", expire]),
        home,
    );
    run(
        Command::new("gpg").args(["--batch", "--armor", "--export", user]),
        home,
    )
}

fn gpg_home() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    home
}

#[test]
fn gpg_accepts_ours() {
    if !has("gpg") {
        return;
    }
    for key in [ed25519(), rsa()] {
        let home = gpg_home();
        let path = |name: &str, bytes: &[u8]| {
            let path = home.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let certificate = path("key.asc", key.certificate().unwrap().as_bytes());
        run(
            Command::new("gpg").args(["--batch", "--import"]).arg(certificate),
            home.path(),
        );
        let data = path("data", DATA);
        let signature = path(
            "data.asc",
            key.sign_detached_armored(DATA, time(SIGNED)).unwrap().as_bytes(),
        );
        let said = run(
            Command::new("gpg")
                .args(["--batch", "--status-fd", "1", "--verify"])
                .arg(signature)
                .arg(&data),
            home.path(),
        );
        assert!(
            said.contains("[GNUPG:] GOODSIG") && said.contains(&key.fingerprint()),
            "{said}"
        );
        assert!(said.contains(&format!("2024-07-01 {SIGNED}")), "{said}");
    }
}

#[test]
fn we_accept_gpg() {
    if !has("gpg") {
        return;
    }
    let home = gpg_home();
    let certificate = gpg_key(home.path(), "gpg test", "never");
    let ring = Keyring::from_bytes(certificate.as_bytes()).unwrap();
    let data = home.path().join("data");
    std::fs::write(&data, "Origin: Test\n- dashed\n\nlast line\n").unwrap();
    let faked = format!("{SIGNED}!");
    let sign = |arguments: &[&str]| {
        let mut command = Command::new("gpg");
        command
            .args([
                "--batch",
                "--passphrase",
                "",
                "--faked-system-time",
                &faked,
                "-o",
                "-",
            ])
            .args(arguments);
        let output = output(command.arg(&data), home.path());
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let detached = sign(&["--detach-sign"]);
    let content = std::fs::read(&data).unwrap();
    ring.verify_detached(&content, &detached, time(SIGNED)).unwrap();
    let weak = sign(&["--detach-sign", "--digest-algo", "SHA1"]);
    let error = ring.verify_detached(&content, &weak, time(SIGNED)).unwrap_err();
    assert!(
        matches!(&error, VerifyError::Bad { reasons } if reasons[0].contains("SHA1")),
        "{error}"
    );

    let message = sign(&["--clearsign"]);
    let (text, info) = ring.verify_cleartext(&message, time(SIGNED)).unwrap();
    assert_eq!(text.trim_ascii_end(), content.trim_ascii_end());
    assert_eq!(info.created, time(SIGNED));
    let changed = String::from_utf8(message.clone())
        .unwrap()
        .replace("Origin: Test", "Origin: Evil");
    let error = ring
        .verify_cleartext(changed.as_bytes(), time(SIGNED))
        .unwrap_err();
    assert!(matches!(error, VerifyError::Bad { .. }), "{error}");
    // What stands around the message was not signed.
    let behind = [&message[..], b"\nSuite: evil\n"].concat();
    if let Ok((text, _)) = ring.verify_cleartext(&behind, time(SIGNED)) {
        assert!(!String::from_utf8(text).unwrap().contains("evil"));
    }
    assert!(
        ring.verify_cleartext(&[b"Suite: evil\n", &message[..]].concat(), time(SIGNED))
            .is_err()
    );
    assert!(ring.verify_cleartext(&content, time(SIGNED)).is_err());
    // Not a cleartext message, though signed.
    assert!(
        ring.verify_cleartext(&sign(&["--armor", "--sign"]), time(SIGNED))
            .is_err()
    );
    for length in (0..message.len() - 2).step_by(13) {
        assert!(
            ring.verify_cleartext(&message[..length], time(SIGNED)).is_err(),
            "cut to {length}"
        );
    }
}

#[test]
fn expired_and_revoked_keys_are_refused() {
    if !has("gpg") {
        return;
    }
    let home = gpg_home();
    let certificate = gpg_key(home.path(), "short", "2024-08-01");
    let ring = Keyring::from_bytes(certificate.as_bytes()).unwrap();
    let data = home.path().join("data");
    std::fs::write(&data, DATA).unwrap();
    let faked = format!("{SIGNED}!");
    let signature = output(
        Command::new("gpg")
            .args([
                "--batch",
                "--passphrase",
                "",
                "--faked-system-time",
                &faked,
                "-o",
                "-",
                "--detach-sign",
            ])
            .arg(&data),
        home.path(),
    )
    .stdout;
    ring.verify_detached(DATA, &signature, time(SIGNED)).unwrap();
    // The key was good when it signed, but is not any more.
    let error = ring
        .verify_detached(DATA, &signature, time(SIGNED + 90 * 86_400))
        .unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");

    let fingerprint = &ring.fingerprints()[0];
    let revocation = home.path().join(format!("openpgp-revocs.d/{fingerprint}.rev"));
    // gpg puts a colon in front, so that nobody imports it by accident.
    let text = std::fs::read_to_string(revocation)
        .unwrap()
        .replace(":-----BEGIN", "-----BEGIN");
    let path = home.path().join("revocation");
    std::fs::write(&path, &text[text.find("-----BEGIN").unwrap()..]).unwrap();
    run(
        Command::new("gpg").args(["--batch", "--import"]).arg(path),
        home.path(),
    );
    let revoked = run(
        Command::new("gpg").args(["--batch", "--armor", "--export", "short"]),
        home.path(),
    );
    let ring = Keyring::from_bytes(revoked.as_bytes()).unwrap();
    let error = ring.verify_detached(DATA, &signature, time(SIGNED)).unwrap_err();
    assert!(error.to_string().contains("revoked"), "{error}");
}

fn package(key: &SigningKey) -> Vec<u8> {
    let nevra = Nevra {
        name: "signed".into(),
        evr: Evr::new(0, "1", "1"),
        arch: "noarch".into(),
    };
    let files = vec![FileEntry::regular("/usr/share/signed", 0o644, 3, None)];
    let metadata = Metadata {
        summary: "Signed".into(),
        license: "MIT".into(),
        files,
        ..Metadata::new(nevra)
    };
    let contents = BTreeMap::from([(b"/usr/share/signed".to_vec(), b"abc".to_vec())]);
    let signer = key.signer(time(SIGNED));
    PackageBuilder::new(metadata)
        .build(&contents, Some(&signer))
        .unwrap()
        .to_bytes()
}

#[test]
fn packages_are_signed() {
    for (key, tag) in [(ed25519(), Tag::DSAHEADER), (rsa(), Tag::RSAHEADER)] {
        let bytes = package(key);
        assert_eq!(
            bytes,
            package(key),
            "signed packages are the same bytes each time"
        );
        let parsed = Package::parse(&bytes).unwrap();
        assert!(parsed.signature().contains(tag));
        let ring = ring(key);
        let info = parsed.verify_signature(&ring.at(time(SIGNED))).unwrap();
        assert_eq!(
            (info.fingerprint, info.created),
            (key.fingerprint(), time(SIGNED))
        );
        let range = parsed.header_range();
        for at in range.step_by(11) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            // Where the header can still be read, its signature is bad.
            if let Ok(package) = Package::parse(&damaged) {
                let error = package.verify_signature(&ring.at(time(SIGNED))).unwrap_err();
                assert!(
                    matches!(error, PackageError::Signature(VerifyError::Bad { .. })),
                    "{error}"
                );
            }
        }
    }
    let unsigned = PackageBuilder::new(Metadata::new(Nevra {
        name: "x".into(),
        evr: Evr::new(0, "1", "1"),
        arch: "noarch".into(),
    }));
    let bytes = unsigned.build(&BTreeMap::new(), None).unwrap().to_bytes();
    let error = Package::parse(&bytes)
        .unwrap()
        .verify_signature(&ring(rsa()))
        .unwrap_err();
    assert!(matches!(error, PackageError::Signature(VerifyError::Unsigned)));
}

#[test]
fn rpm_accepts_ours() {
    if !has("rpm") {
        return;
    }
    for (key, name) in [(ed25519(), "EdDSA"), (rsa(), "RSA")] {
        let home = tempfile::tempdir().unwrap();
        let (path, certificate) = (home.path().join("p.rpm"), home.path().join("key.asc"));
        std::fs::write(&path, package(key)).unwrap();
        std::fs::write(&certificate, key.certificate().unwrap()).unwrap();
        let rpm = || {
            let mut command = Command::new("rpm");
            command.arg("--dbpath").arg(home.path().join("db"));
            command
        };
        let before = output(rpm().arg("-Kv").arg(&path), home.path());
        assert!(
            String::from_utf8_lossy(&before.stdout).contains("NOKEY"),
            "{before:?}"
        );
        run(rpm().arg("--import").arg(&certificate), home.path());
        let said = run(rpm().arg("-Kv").arg(&path), home.path());
        let id = key.fingerprint()[32..].to_lowercase();
        assert!(
            said.contains(&format!("V4 {name}/SHA256 Signature, key ID {id}: OK")),
            "{said}"
        );
        // The signature travels into the database, and is checked there.
        run(rpm().args(["-i", "--justdb", "--nodeps"]).arg(&path), home.path());
        let format = "%|DSAHEADER?{%{DSAHEADER:pgpsig}}:{%{RSAHEADER:pgpsig}}|";
        let said = run(rpm().args(["-q", "--qf", format, "signed"]), home.path());
        assert!(
            said.contains(&format!("{name}/SHA256")) && said.contains("2024"),
            "{said}"
        );
    }
}

/// The header of a signed package in the database is what rpm would have stored, and rpm checks its signature there.
#[test]
fn rpm_accepts_signed_headers_in_its_database() {
    if !has("rpm") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let rpm = |database: &str| {
        let mut command = Command::new("rpm");
        command.arg("--dbpath").arg(home.path().join(database));
        command
    };
    let bytes = package(ed25519());
    let parsed = Package::parse(&bytes).unwrap();
    let (path, certificate) = (home.path().join("p.rpm"), home.path().join("key.asc"));
    std::fs::write(&path, &bytes).unwrap();
    std::fs::write(&certificate, ed25519().certificate().unwrap()).unwrap();
    // rpmdb cannot export one package only, so this database has no key.
    run(
        rpm("theirs")
            .args(["-i", "--justdb", "--nodeps", "--nosignature"])
            .arg(&path),
        home.path(),
    );
    let mut export = Command::new("rpmdb");
    let exported = output(
        export
            .arg("--dbpath")
            .arg(home.path().join("theirs"))
            .arg("--exportdb"),
        home.path(),
    )
    .stdout;
    let stored = Header::from_blob(&exported[8..]).unwrap();
    let one = |tag| stored.u32(tag).unwrap().unwrap();
    let facts = InstallFacts {
        install_time: one(Tag::INSTALLTIME),
        install_tid: one(Tag::INSTALLTID),
        install_color: one(Tag::INSTALLCOLOR),
        file_states: vec![FileState::Normal],
    };
    let ours = installed_header(parsed.signature(), parsed.header(), &facts).unwrap();
    assert!(exported[8..] == ours, "the bytes differ");

    run(rpm("ours").arg("--import").arg(&certificate), home.path());
    let stream = home.path().join("stream");
    std::fs::write(&stream, [&exported[..8], &ours].concat()).unwrap();
    let mut import = Command::new("rpmdb");
    import
        .arg("--dbpath")
        .arg(home.path().join("ours"))
        .arg("--importdb");
    run(import.stdin(std::fs::File::open(stream).unwrap()), home.path());
    let said = run(rpm("ours").args(["-qvv", "signed"]), home.path());
    let id = ed25519().fingerprint()[32..].to_lowercase();
    assert!(
        said.contains(&format!("Header V4 EdDSA/SHA256 Signature, key ID {id}: OK")),
        "{said}"
    );
}

/// The machine's Debian archive keyring, and what it signed: several keys, of which one or two sign a release.
#[test]
#[allow(clippy::print_stderr)]
fn verifies_debian_releases() {
    let Ok(bytes) = std::fs::read("/usr/share/keyrings/debian-archive-keyring.gpg") else {
        eprintln!("SKIPPED: there is no Debian archive keyring, so this test proves nothing");
        return;
    };
    let ring = Keyring::from_bytes(&bytes).unwrap();
    assert!(ring.fingerprints().len() > 5);
    let lists = std::fs::read_dir("/var/lib/apt/lists")
        .into_iter()
        .flatten()
        .flatten();
    let releases = lists.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.contains("debian") && name.ends_with("InRelease")
    });
    let mut verified = 0;
    for release in releases {
        let message = std::fs::read(release.path()).unwrap();
        let (text, info) = ring.verify_cleartext(&message, SystemTime::now()).unwrap();
        assert!(ring.fingerprints().contains(&info.fingerprint));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\nSHA256:\n") && !text.contains("PGP"), "{text}");
        let evil = String::from_utf8(message)
            .unwrap()
            .replacen("\nSuite: ", "\nSuite: x", 1);
        assert!(ring.verify_cleartext(evil.as_bytes(), SystemTime::now()).is_err());
        verified += 1;
    }
    if verified == 0 {
        eprintln!("SKIPPED: apt has no releases of Debian, so only the keyring was tested");
    }
}

#[test]
fn keyrings_that_are_none() {
    for bytes in [
        &b""[..],
        b"text",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxx\n",
        &[0x80; 100],
    ] {
        assert!(Keyring::from_bytes(bytes).is_err());
    }
    let armored = [
        ed25519().certificate().unwrap(),
        "Some words.\n".into(),
        rsa().certificate().unwrap(),
    ]
    .concat();
    assert_eq!(
        Keyring::from_bytes(armored.as_bytes())
            .unwrap()
            .fingerprints()
            .len(),
        2
    );
    // A public key cannot sign.
    assert!(SigningKey::from_armored(ed25519().certificate().unwrap().as_bytes()).is_err());
}
