//! Remotes that fail, lie or are away: the build goes on.

use crate::build::{LIMITS, Machine, key, remote, result, ring, signing_key};
use crate::toxic::{Fault, Toxic};
use lazuli_cache::{Access, CacheError, Limits, RemoteSettings};
use lazuli_openpgp::SigningKey;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FILES: &[(&str, &[u8])] = &[("a.rpm", b"a package with some bytes"), ("build.log", b"log")];

/// A server, and the key of those who share it.
struct Shared {
    toxic: Toxic,
    key: Arc<SigningKey>,
}

impl Shared {
    fn new() -> Self {
        Self {
            toxic: Toxic::start(),
            key: signing_key("shared"),
        }
    }

    /// A server that has build 1.
    fn filled() -> Self {
        let shared = Self::new();
        let machine = shared.machine();
        machine.put(1, FILES);
        let done = machine.cache.finish();
        assert_eq!((done.shared, done.not_shared), (1, 0), "{:?}", machine.notices());
        shared.toxic.requests();
        shared
    }

    fn settings(&self) -> RemoteSettings {
        let (url, options) = self.toxic.remote();
        RemoteSettings {
            options,
            ..remote(&url, &[], &self.key)
        }
    }

    /// Another machine.
    fn machine(&self) -> Machine {
        Machine::with(Some(self.settings()))
    }
}

#[test]
fn results_are_shared() {
    let shared = Shared::filled();
    let paths = shared.toxic.paths();
    assert_eq!(paths.len(), 3);
    assert!(
        paths.iter().all(|path| path.starts_with("/bucket/some/prefix/")),
        "{paths:?}"
    );
    let other = shared.machine();
    let files = other.restore(1).unwrap();
    assert_eq!(files["a.rpm"], FILES[0].1);
    let statistics = other.cache.statistics();
    assert_eq!((statistics.remote_hits, statistics.local_hits), (1, 0));
    assert_eq!(statistics.downloaded, 28);
    assert!(shared.toxic.requests().len() == 3);
    // Now it is here.
    other.restore(1).unwrap();
    assert_eq!(shared.toxic.requests(), [""; 0]);
    // What is there is not sent again.
    other.put(2, FILES);
    let done = other.cache.finish();
    assert_eq!((done.shared, done.refused), (1, 0));
    let puts: Vec<_> = shared
        .toxic
        .requests()
        .into_iter()
        .filter(|line| line.starts_with("PUT"))
        .collect();
    assert!(puts.len() == 1 && puts[0].contains("/entries/02/"), "{puts:?}");
    assert_eq!(other.notices(), [""; 0]);
}

#[test]
fn entries_come_after_their_objects() {
    let shared = Shared::new();
    shared.toxic.fault(Fault::Forbidden, "PUT", "/objects/", 1);
    let machine = shared.machine();
    machine.put(1, FILES);
    let done = machine.cache.finish();
    assert_eq!((done.shared, done.not_shared), (0, 1));
    assert!(shared.toxic.paths().iter().all(|path| path.contains("/objects/")));
    assert!(machine.notices()[0].starts_with("a result was not shared"));
    assert!(machine.restore(1).is_some(), "it is here all the same");
    // All that is here, later.
    assert_eq!(machine.cache.share_all().unwrap(), 1);
    assert_eq!(machine.cache.finish().shared, 1);
    assert!(shared.machine().restore(1).is_some());
}

#[test]
fn what_passes_is_tried_again() {
    let shared = Shared::filled();
    for fault in [Fault::Broken, Fault::HangUp, Fault::CutOff] {
        let other = shared.machine();
        shared.toxic.fault(fault, "GET", "/objects/", 1);
        shared.toxic.fault(fault, "GET", "/entries/", 1);
        assert!(other.restore(1).is_some(), "{fault:?}: {:?}", other.notices());
        shared.toxic.heal();
    }
    shared.toxic.fault(Fault::Broken, "PUT", "", 2);
    let machine = shared.machine();
    machine.put(2, &[("b.rpm", b"other")]);
    assert_eq!(machine.cache.finish().shared, 1);
}

#[test]
fn what_stays_broken_is_a_miss_and_then_left_alone() {
    for fault in [Fault::Broken, Fault::Forbidden, Fault::HangUp] {
        let shared = Shared::filled();
        let other = shared.machine();
        shared.toxic.fault(fault, "GET", "", usize::MAX);
        for number in 1..=3 {
            assert_eq!(other.restore(number), None, "{fault:?}");
        }
        let notices = other.notices();
        assert!(
            notices.len() == 1 && notices[0].contains("is away"),
            "{fault:?}: {notices:?}"
        );
        shared.toxic.requests();
        shared.toxic.heal();
        assert_eq!(other.restore(1), None);
        other.put(4, FILES);
        let done = other.cache.finish();
        assert_eq!(
            (done.misses, done.shared, done.not_shared),
            (4, 0, 1),
            "{fault:?}"
        );
        assert_eq!(shared.toxic.requests(), [""; 0], "{fault:?}: it is left alone");
        assert_eq!(other.notices(), [""; 0], "{fault:?}: it is said once");
        assert_eq!(other.restore(4).unwrap()["build.log"], b"log");
    }
}

#[test]
fn what_is_cut_off_leaves_nothing() {
    let shared = Shared::filled();
    let other = shared.machine();
    shared.toxic.fault(Fault::CutOff, "GET", "/objects/", usize::MAX);
    assert_eq!(other.restore(1), None);
    assert_eq!(other.incoming(), 0);
    shared.toxic.heal();
    assert!(other.restore(1).is_some());
}

#[test]
fn wrong_bytes_are_refused_and_put_right() {
    for fault in [Fault::WrongByte, Fault::Longer] {
        let shared = Shared::filled();
        let other = shared.machine();
        shared.toxic.fault(fault, "GET", "/objects/", 1);
        assert_eq!(other.restore(1), None, "{fault:?}");
        let notices = other.notices();
        assert!(notices[0].contains("wrong bytes"), "{fault:?}: {notices:?}");
        assert_eq!(other.cache.statistics().refused, 1, "{fault:?}");
        assert_eq!(other.incoming(), 0);
        assert!(other.restore(1).is_some(), "{fault:?}: others are not");
    }
    // It is wrong in the remote itself: what is built again replaces it.
    let shared = Shared::filled();
    shared.toxic.change("/objects/", |content| content[0] ^= 1);
    let other = shared.machine();
    assert_eq!(other.restore(1), None);
    let entry = other.put(1, FILES);
    for object in &entry.objects {
        let target = other.dir.path().join("target");
        other
            .cache
            .fetch(object, &target, lazuli_cache::Placement::Copy)
            .unwrap();
    }
    assert_eq!(other.cache.finish().shared, 1);
    assert!(shared.machine().restore(1).is_some());
}

#[test]
fn entries_are_believed_only_with_a_good_signature() {
    let shared = Shared::filled();
    let whole = shared.toxic.get("/entries/01/");
    let end = whole
        .windows(10)
        .position(|window| window == b"-----BEGIN")
        .unwrap();
    let stranger = Shared {
        key: signing_key("a stranger"),
        toxic: Shared::filled().toxic,
    };
    let machine = stranger.machine();
    machine.put(1, FILES);
    assert_eq!(machine.cache.finish().shared, 1);
    let forged = stranger.toxic.get("/entries/01/");
    let other_build = {
        let machine = shared.machine();
        machine.put(2, FILES);
        machine.cache.finish();
        shared.toxic.get("/entries/02/")
    };
    let bent = String::from_utf8(whole.clone())
        .unwrap()
        .replace("\"1234\"", "\"1235\"");
    let cases: [(&str, Vec<u8>); 6] = [
        ("not signed", whole[..end].to_vec()),
        ("no key", forged),
        ("no good signature", bent.into_bytes()),
        ("entry of build 0202", other_build),
        ("not signed", Vec::new()),
        ("more than", vec![b' '; 5 << 20]),
    ];
    for (reason, bytes) in cases {
        shared
            .toxic
            .change("/entries/01/", |content| content.clone_from(&bytes));
        let other = shared.machine();
        assert_eq!(other.cache.get(&key(1)).unwrap(), None, "{reason}");
        let notices = other.notices();
        assert!(
            notices.len() == 1 && notices[0].contains(reason),
            "{reason}: {notices:?}"
        );
        assert_eq!(other.cache.statistics().refused, 1);
        assert!(!other.entry(1).exists(), "{reason}");
    }
    // Who trusts the stranger too takes it.
    shared.toxic.change("/entries/01/", |content| {
        content.clone_from(&stranger.toxic.get("/entries/01/"))
    });
    let mut settings = shared.settings();
    settings.trusted.merge(ring(&stranger.key));
    assert!(Machine::with(Some(settings)).restore(1).is_some());
}

#[test]
fn who_is_silent_is_not_waited_for() {
    let shared = Shared::filled();
    let mut settings = shared.settings();
    settings.limits = Limits {
        stall: Duration::from_millis(200),
        retries: 1,
        failures: 1,
        finish: Duration::from_millis(300),
        ..LIMITS
    };
    let other = Machine::with(Some(settings.clone()));
    shared.toxic.fault(Fault::Silent, "GET", "", usize::MAX);
    let start = Instant::now();
    assert_eq!(other.restore(1), None);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(other.notices()[0].contains("is away"));

    settings.limits.stall = Duration::from_secs(60);
    let sender = Machine::with(Some(settings));
    shared.toxic.fault(Fault::Silent, "PUT", "", usize::MAX);
    sender.put(2, &[("b.rpm", b"other")]);
    let start = Instant::now();
    let done = sender.cache.finish();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!((done.shared, done.not_shared), (0, 1));
    assert!(sender.notices()[0].contains("were not there after"));
}

#[test]
fn nobody_there_is_said_once() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = Shared::new().settings();
    settings.options[0].1 = format!("http://{address}");
    let machine = Machine::with(Some(settings));
    for number in 1..=5 {
        assert_eq!(machine.restore(number), None);
        machine.put(number, FILES);
        assert!(machine.restore(number).is_some());
    }
    let done = machine.cache.finish();
    assert_eq!((done.local_hits, done.misses, done.not_shared), (5, 5, 5));
    let notices = machine.notices();
    assert!(
        notices.len() == 1 && notices[0].contains("is away"),
        "{notices:?}"
    );
}

#[test]
fn readers_give_nothing() {
    let shared = Shared::filled();
    let mut settings = shared.settings();
    settings.access = Access::ReadOnly;
    let reader = Machine::with(Some(settings));
    assert!(reader.restore(1).is_some());
    reader.put(2, FILES);
    assert_eq!(reader.cache.share_all().unwrap(), 0);
    reader.cache.finish();
    assert!(
        shared
            .toxic
            .requests()
            .iter()
            .all(|line| line.starts_with("GET "))
    );
}

#[test]
fn a_plain_folder_is_a_remote() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().join("shared").display());
    let key = signing_key("shared");
    let machine = Machine::with(Some(remote(&url, &[], &key)));
    assert!(machine.notices()[0].contains("is away"), "it is not mounted");
    machine.put(1, FILES);
    std::fs::create_dir(dir.path().join("shared")).unwrap();
    let machine = Machine::with(Some(remote(&url, &[], &key)));
    // In parts.
    let large: Vec<u8> = (0..20_u32 << 20).map(|number| (number % 251) as u8).collect();
    machine.put(1, &[("a.rpm", &large), ("empty", b"")]);
    assert_eq!(machine.cache.finish().shared, 1, "{:?}", machine.notices());
    let other = Machine::with(Some(remote(&url, &[], &key)));
    let files = other.restore(1).unwrap();
    assert!(files["a.rpm"] == large && files["empty"].is_empty());
    // An entry that nobody signed, written by hand.
    let entry = std::fs::read_dir(dir.path().join("shared/entries/01"))
        .unwrap()
        .next()
        .unwrap();
    let plain = Machine::local();
    plain
        .cache
        .put(&crate::build::key(1), result(plain.dir.path(), FILES))
        .unwrap();
    std::fs::copy(plain.entry(1), entry.unwrap().path()).unwrap();
    let other = Machine::with(Some(remote(&url, &[], &key)));
    assert_eq!(other.restore(1), None);
    assert!(other.notices()[0].contains("not signed"));
}

#[test]
fn addresses_are_checked() {
    let key = signing_key("shared");
    let open = |url: &str| {
        let dir = tempfile::tempdir().unwrap();
        let settings = lazuli_cache::Settings {
            remote: Some(remote(url, &[], &key)),
            ..lazuli_cache::Settings::local(dir.path())
        };
        lazuli_cache::Cache::open(settings).unwrap_err()
    };
    let secret = open("s3://user:secret@bucket/prefix?token=secret");
    assert!(!secret.to_string().contains("secret"), "{secret}");
    for (url, reason) in [
        ("bucket", "relative URL"),
        ("ftp://host/x", "known are"),
        ("file:///proc/self/status", "not a folder"),
        ("az://container", "Account"),
    ] {
        let error = open(url);
        assert!(matches!(error, CacheError::Remote { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}
