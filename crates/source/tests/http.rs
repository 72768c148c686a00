//! Downloads from servers that are slow, cut off, lie, redirect, or are simply good.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod server;

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lazuli_source::{
    Digest, Fetched, HashAlgorithm, Origin, Progress, Request, SourceError, Sources, WeakDigests,
};
use server::{Server, World, content, quiet, reasons, sha512, wanted};

#[test]
fn a_file_is_fetched_once() {
    let (world, bytes) = (World::new(), content(300_000));
    let server = Server::of(&bytes);
    let request = wanted(&bytes, &[server.url("/file")]);
    let seen = Mutex::new(Vec::new());
    let stored = world
        .sources()
        .file(&request, &|progress| seen.lock().unwrap().push(progress.clone()))
        .unwrap();
    assert_eq!(std::fs::read(&stored.path).unwrap(), bytes);
    assert_eq!(stored.size, 300_000);
    let seen = seen.into_inner().unwrap();
    let what = "file.tar".to_owned();
    assert_eq!(seen.first(), Some(&Progress::Started { what: what.clone() }));
    let all = Progress::Bytes {
        what: what.clone(),
        done: 300_000,
        total: Some(300_000),
    };
    assert!(seen.contains(&all), "{seen:?}");
    let from = Origin::Network;
    assert_eq!(seen.last(), Some(&Progress::Finished { what, from }));
    assert!(world.parts().is_empty());

    // Again, by any digest, in a new run, without a network.
    let sources = world.offline();
    for digest in [sha512(&bytes), (&stored.sha256).into()] {
        let mut request = request.clone();
        request.digest = digest;
        assert_eq!(sources.file(&request, &quiet).unwrap(), stored);
    }
    assert_eq!(sources.read(&stored).unwrap(), bytes);
    assert_eq!(server.asked().len(), 1);

    let mut other = request;
    other.digest = sha512(b"other");
    let error = sources.file(&other, &quiet).unwrap_err();
    assert!(
        matches!(&error, SourceError::Offline { what } if what.contains("file.tar")),
        "{error}"
    );
}

#[test]
fn mirrors_are_tried_in_turn() {
    let (world, bytes) = (World::new(), content(1000));
    let absent = Server::start(|_, answer| answer.whole(404, &[], b"no"));
    let lying = Server::of(b"something else");
    let good = Server::of(&bytes);
    let closed = "http://127.0.0.1:1/x".to_owned();
    let urls = [
        absent.url("/a"),
        lying.url("/b"),
        closed,
        good.url("/c"),
        absent.url("/never"),
    ];
    world.sources().file(&wanted(&bytes, &urls), &quiet).unwrap();
    assert_eq!(
        (absent.asked().len(), lying.asked().len(), good.asked().len()),
        (1, 1, 1)
    );
    assert!(world.pauses().is_empty());
}

#[test]
fn a_failing_server_is_asked_again_within_limits() {
    let (world, bytes) = (World::new(), content(1000));
    let count = AtomicUsize::new(0);
    let answer_bytes = bytes.clone();
    let server = Server::start(move |asked, answer| match count.fetch_add(1, Ordering::SeqCst) {
        0 => answer.whole(500, &[], b""),
        1 => answer.whole(503, &[("Retry-After", "7")], b""),
        _ => answer.content(asked, &answer_bytes, "\"x\""),
    });
    let request = wanted(&bytes, &[server.url("/file")]);
    let retries = Mutex::new(Vec::new());
    let progress = |progress: &Progress| {
        if let Progress::Retrying { reason, .. } = progress {
            retries.lock().unwrap().push(reason.clone());
        }
    };
    world.sources().file(&request, &progress).unwrap();
    assert_eq!(
        world.pauses(),
        [Duration::from_millis(500), Duration::from_secs(7)]
    );
    assert!(retries.lock().unwrap()[0].ends_with("/file: the server answers 500"));

    let world = World::new();
    let down = Server::start(|_, answer| answer.whole(502, &[("Retry-After", "100000")], b""));
    let result = world
        .sources()
        .file(&wanted(&bytes, &[down.url("/file")]), &quiet);
    assert_eq!(reasons(result), ["the server answers 502"]);
    assert_eq!(down.asked().len(), 3);
    assert_eq!(world.pauses(), [Duration::from_secs(20); 2]);
}

/// A server that breaks off after so many bytes of each answer.
fn cutting(bytes: &[u8], after: usize) -> Server {
    let bytes = bytes.to_vec();
    Server::start(move |asked, answer| {
        let start = asked.start();
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        let length = (bytes.len() - start).to_string();
        match start {
            0 => answer.head(200, &[("Content-Length", &length), ("ETag", "\"cut\"")]),
            _ => answer.head(206, &[("Content-Length", &length), ("Content-Range", &range)]),
        }
        answer.bytes(&bytes[start..bytes.len().min(start + after)]);
    })
}

#[test]
fn a_download_that_is_cut_off_goes_on() {
    let (world, bytes) = (World::new(), content(1_000_000));
    // Eleven pieces, though only three rounds may fail: each piece is progress.
    let server = cutting(&bytes, 91_000);
    let request = wanted(&bytes, &[server.url("/file")]);
    let stored = world.sources().file(&request, &quiet).unwrap();
    assert_eq!(std::fs::read(stored.path).unwrap(), bytes);
    let asked = server.asked();
    let starts: Vec<usize> = asked.iter().map(server::Asked::start).collect();
    assert_eq!(starts, (0..11).map(|piece| piece * 91_000).collect::<Vec<_>>());
    assert_eq!(asked[0].header("if-range"), None);
    assert_eq!(asked[1].header("if-range"), Some("\"cut\""));
    assert!(world.parts().is_empty());
}

#[test]
fn another_mirror_goes_on_with_a_part() {
    let (world, bytes) = (World::new(), content(100_000));
    let (first, second) = (cutting(&bytes, 40_000), Server::of(&bytes));
    let urls = [first.url("/a"), second.url("/b")];
    world.sources().file(&wanted(&bytes, &urls), &quiet).unwrap();
    let asked = second.asked();
    // The tag of the one says nothing to the other.
    assert_eq!((asked[0].start(), asked[0].header("if-range")), (40_000, None));
}

#[test]
fn a_server_that_knows_no_ranges_begins_again() {
    let (world, bytes) = (World::new(), content(100_000));
    let (count, answer_bytes) = (AtomicUsize::new(0), bytes.clone());
    let server = Server::start(move |_, answer| {
        let length = answer_bytes.len().to_string();
        answer.head(200, &[("Content-Length", &length)]);
        let part = if count.fetch_add(1, Ordering::SeqCst) == 0 {
            30_000
        } else {
            100_000
        };
        answer.bytes(&answer_bytes[..part]);
    });
    let stored = world
        .sources()
        .file(&wanted(&bytes, &[server.url("/file")]), &quiet)
        .unwrap();
    assert_eq!(std::fs::read(stored.path).unwrap(), bytes);
    assert_eq!(server.asked()[1].start(), 30_000);

    // One that always breaks off at the same place makes no progress: it is given up.
    let (world, answer_bytes) = (World::new(), bytes.clone());
    let server = Server::start(move |_, answer| {
        answer.head(200, &[("Content-Length", "100000")]);
        answer.bytes(&answer_bytes[..30_000]);
    });
    let result = world
        .sources()
        .file(&wanted(&bytes, &[server.url("/file")]), &quiet);
    let reasons = reasons(result);
    assert!(
        reasons[0].contains("broke off after 30000 of 100000 bytes"),
        "{reasons:?}"
    );
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_part_of_another_content_is_dropped() {
    let (world, bytes) = (World::new(), content(50_000));
    let sources = world.sources();
    let request = wanted(&bytes, &[]);
    let part = world.folder.path().join(format!(
        "cache/sources/parts/sha512-{}.part",
        request.digest.hex()
    ));
    let server = Server::of(&bytes);
    let url = [server.url("/file")];
    // Wrong bytes, all of them and more, and what a power cut leaves.
    for damage in [vec![1; 20_000], vec![1; 50_000], vec![1; 60_000], vec![0; 1]] {
        std::fs::write(&part, damage).unwrap();
        let stored = sources.file(&wanted(&bytes, &url), &quiet).unwrap();
        assert_eq!(std::fs::read(&stored.path).unwrap(), bytes);
        std::fs::remove_file(stored.path).unwrap();
        assert!(world.parts().is_empty());
    }
    // The content changed at the server since: its tag tells, so that not a byte too many comes.
    std::fs::write(&part, vec![1; 20_000]).unwrap();
    let origin = format!("{{\"url\":\"{}\",\"etag\":\"\\\"old\\\"\"}}", url[0]);
    std::fs::write(part.with_extension("part.from"), origin).unwrap();
    let before = server.asked().len();
    sources.file(&wanted(&bytes, &url), &quiet).unwrap();
    assert_eq!(server.asked().len(), before + 1);
    // All of it came before, only its name is missing: nothing is fetched but the server's word that this is all.
    std::fs::remove_dir_all(world.folder.path().join("cache/sources/objects")).unwrap();
    std::fs::write(&part, &bytes).unwrap();
    sources.file(&wanted(&bytes, &url), &quiet).unwrap();
    assert_eq!(server.asked().last().unwrap().start(), 50_000);
}

#[test]
fn wrong_bytes_are_refused() {
    let (world, bytes) = (World::new(), content(10_000));
    let mut wrong = bytes.clone();
    wrong[5000] ^= 1;
    let server = Server::of(&wrong);
    let request = wanted(&bytes, &[server.url("/file")]);
    let error = world.sources().file(&request, &quiet).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("file.tar") && text.contains(&server.url("/file")),
        "{text}"
    );
    assert!(
        text.contains(sha512(&bytes).hex()) && text.contains(sha512(&wrong).hex()),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("another file under this name"));
    assert_eq!(
        server.asked().len(),
        1,
        "what is wrong once is not asked for again"
    );
    assert!(world.parts().is_empty());
    assert!(world.sources().store().find(&sha512(&wrong)).unwrap().is_none());
}

#[test]
fn wrong_lengths_are_refused() {
    let bytes = content(10_000);
    let check = |headers: &[(&'static str, &'static str)], size: Option<u64>, sent: usize, expected: &str| {
        let (world, body, headers) = (World::new(), bytes.clone(), headers.to_vec());
        let server = Server::start(move |_, answer| {
            answer.head(200, &headers);
            answer.bytes(&body[..sent]);
        });
        let mut request = wanted(&bytes, &[server.url("/file")]);
        request.size = size;
        let result = world
            .with(|settings| settings.http.max_bytes = 20_000)
            .file(&request, &quiet);
        let reasons = reasons(result);
        assert!(reasons[0].contains(expected), "{reasons:?}");
        assert!(server.asked().len() <= 3);
    };
    check(&[("Content-Length", "9999")], None, 10_000, "has the digest");
    check(
        &[("Content-Length", "9999")],
        Some(10_000),
        10_000,
        "announces 9999 bytes, but 10000 are expected",
    );
    check(
        &[("Content-Length", "10001")],
        None,
        10_000,
        "broke off after 10000 of 10001 bytes",
    );
    check(
        &[("Content-Length", "30000")],
        None,
        10_000,
        "at most 20000 are taken",
    );
    check(&[], Some(9_000), 10_000, "sent more than 9000 bytes");
    check(&[], Some(11_000), 10_000, "broke off after 10000 of 11000 bytes");
    check(&[("Content-Length", "-1")], None, 0, "");
}

#[test]
fn an_endless_body_is_stopped() {
    let world = World::new();
    let server = Server::start(|_, answer| {
        answer.head(200, &[]);
        for _ in 0..100 {
            answer.bytes(&[0; 10_000]);
        }
    });
    let request = wanted(b"x", &[server.url("/file")]);
    let sources = world.with(|settings| settings.http.max_bytes = 100_000);
    assert_eq!(
        reasons(sources.file(&request, &quiet)),
        ["it sent more than 100000 bytes"]
    );
    assert!(world.parts().is_empty());
}

#[test]
fn stalled_bodies_are_left() {
    let bytes = content(10_000);
    let body = bytes.clone();
    let silent = Server::start(move |_, answer| {
        answer.head(200, &[("Content-Length", "10000")]);
        answer.bytes(&body[..4000]);
        answer.wait();
    });
    let mute = Server::start(|_, answer| answer.wait());
    let trickling = Server::start(|_, answer| {
        answer.head(200, &[("Content-Length", "10000")]);
        for _ in 0..500 {
            answer.bytes(b"x");
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let world = World::new();
    let impatient = || {
        world.with(|settings| {
            settings.http.stall_time = Duration::from_millis(150);
            settings.http.response_timeout = Duration::from_millis(150);
            settings.http.stall_bytes = 1000;
            settings.http.retry.rounds = 1;
        })
    };
    let start = Instant::now();
    let urls = [mute.url("/"), trickling.url("/"), silent.url("/")];
    let reasons = reasons(impatient().file(&wanted(&bytes, &urls), &quiet));
    assert!(reasons[0].contains("did not answer in time"), "{reasons:?}");
    assert!(reasons[1].contains("it sent only"), "{reasons:?}");
    assert!(reasons[2].contains("nothing came for too long"), "{reasons:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    // A good mirror goes on where the silent one stopped.
    let good = Server::of(&bytes);
    let world = World::new();
    let sources = world.with(|settings| settings.http.stall_time = Duration::from_millis(150));
    let urls = [silent.url("/"), good.url("/")];
    sources.file(&wanted(&bytes, &urls), &quiet).unwrap();
    assert_eq!(good.asked()[0].start(), 4000);
}

#[test]
fn redirections_are_followed_within_limits() {
    let bytes = content(1000);
    let check = |location: &'static str, expected: Result<&str, &str>| {
        let (world, body) = (World::new(), bytes.clone());
        let server = Server::start(move |asked, answer| match asked.path.as_str() {
            "/a/start" => answer.whole(302, &[("Location", location)], b"elsewhere"),
            "/loop" => answer.whole(301, &[("Location", "/loop")], b""),
            "/nowhere" => answer.whole(307, &[], b""),
            _ => answer.content(asked, &body, "\"r\""),
        });
        let request = wanted(&bytes, &[server.url("/a/start")]);
        let result = world
            .with(|settings| settings.http.max_redirects = 3)
            .file(&request, &quiet);
        match expected {
            Ok(path) => {
                result.unwrap();
                assert_eq!(server.asked().last().unwrap().path, path);
            }
            Err(part) => {
                let reasons = reasons(result);
                assert!(reasons[0].contains(part), "{reasons:?}");
            }
        }
    };
    check("/b/file?x=y", Ok("/b/file?x=y"));
    check("file", Ok("/a/file"));
    check("../c", Ok("/c"));
    check("/loop", Err("redirects more than 3 times"));
    check("/nowhere", Err("does not say where to"));
    check("file:///etc/passwd", Err("neither http nor https"));
    check("ftp://127.0.0.1/x", Err("neither http nor https"));
    check("http://", Err("it has no host"));
}

/// A server with TLS and a certificate of its own, made by openssl, which answers one redirection to all.
struct Secure {
    folder: tempfile::TempDir,
    server: std::process::Child,
    port: u16,
}

impl Secure {
    fn start(location: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command.args(arguments.split(' ')).current_dir(folder.path());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        std::fs::write(folder.path().join("ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        let made = openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 3",
        ) && openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out csr.pem -subj /CN=host",
        ) && openssl(
            "x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -days 3 -extfile ext",
        );
        if !made {
            eprintln!("SKIPPED: openssl is not there, or makes no certificates");
            return None;
        }
        let answer = format!("HTTP/1.0 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        std::fs::write(folder.path().join("start"), answer).unwrap();
        let mut server = Command::new("openssl")
            .args([
                "s_server",
                "-HTTP",
                "-accept",
                "127.0.0.1:0",
                "-cert",
                "cert.pem",
                "-key",
                "key.pem",
            ])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = std::io::BufReader::new(server.stdout.take().unwrap());
        let port = loop {
            let mut line = String::new();
            assert!(std::io::BufRead::read_line(&mut output, &mut line).unwrap() > 0);
            if let Some(address) = line.trim().strip_prefix("ACCEPT ") {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // What it says later is read, so that it never waits for us.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Some(Self { folder, server, port })
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn no_redirection_leads_from_https_to_http() {
    let bytes = content(1000);
    let plain = Server::of(&bytes);
    let Some(secure) = Secure::start(&plain.url("/file")) else {
        return;
    };
    let request = wanted(&bytes, &[format!("https://127.0.0.1:{}/start", secure.port)]);
    let world = World::new();
    let certificates = Some(secure.folder.path().join("ca.pem"));
    let strict = world.with(|settings| settings.http.certificates.clone_from(&certificates));
    let reasons_given = reasons(strict.file(&request, &quiet));
    assert!(
        reasons_given[0].contains("from https to http://127.0.0.1"),
        "{reasons_given:?}"
    );
    assert!(plain.asked().is_empty());
    // Unknown certificates are refused, at once.
    let reasons_given = reasons(world.sources().file(&request, &quiet));
    assert!(
        reasons_given[0].to_lowercase().contains("certificate"),
        "{reasons_given:?}"
    );
    assert!(world.pauses().is_empty());
    let lenient = world.with(|settings| {
        settings.http.certificates.clone_from(&certificates);
        settings.http.downgrade = lazuli_source::Downgrade::ToLoopback;
    });
    lenient.file(&request, &quiet).unwrap();
    let error = Sources::open({
        let mut settings = world.settings();
        settings.http.certificates = Some(secure.folder.path().join("key.pem"));
        settings
    });
    assert!(matches!(error, Err(SourceError::Settings { .. })));
}

#[test]
fn addresses_and_passwords() {
    let (world, bytes) = (World::new(), content(10));
    let down = Server::start(|_, answer| answer.whole(403, &[], b""));
    let url = format!("http://user:secret@{}/x", down.address());
    let error = world.sources().file(&wanted(&bytes, &[url]), &quiet).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("the server answers 403") && !text.contains("secret"),
        "{text}"
    );
    for bad in ["ftp://h/x", "file:///etc/passwd", "x"] {
        let result = world.sources().file(&wanted(&bytes, &[bad.to_owned()]), &quiet);
        assert!(matches!(result, Err(SourceError::Address { .. })));
    }
    let none = world.sources().file(&wanted(&bytes, &[]), &quiet).unwrap_err();
    assert!(none.to_string().ends_with("no address is known"), "{none}");
}

#[test]
fn weak_digests_may_be_refused() {
    let (world, bytes) = (World::new(), content(10));
    let server = Server::of(&bytes);
    let mut request = wanted(&bytes, &[server.url("/")]);
    request.digest = Digest::of(HashAlgorithm::Md5, &bytes);
    let strict = world.with(|settings| settings.weak_digests = WeakDigests::Refuse);
    assert!(matches!(
        strict.file(&request, &quiet),
        Err(SourceError::WeakDigest { .. })
    ));
    let stored = world.sources().file(&request, &quiet).unwrap();
    assert_eq!(stored.sha256, lazuli_catalog::Sha256Digest::of(&bytes));
    world.offline().file(&request, &quiet).unwrap();
}

#[test]
fn many_threads_fetch_one_file_once() {
    let (world, bytes) = (World::new(), content(200_000));
    let server = Server::of(&bytes);
    let request = Request::File(wanted(&bytes, &[server.url("/file")]));
    // Two caches' worth of objects in memory: locks work between them as between processes.
    let (first, second) = (world.sources(), world.sources());
    let requests = vec![request; 8];
    std::thread::scope(|scope| {
        for sources in [&first, &second] {
            let requests = &requests;
            scope.spawn(move || {
                for result in sources.fetch_all(requests, &quiet) {
                    assert!(matches!(result, Ok(Fetched::File(_))), "{result:?}");
                }
            });
        }
    });
    assert_eq!(server.asked().len(), 1);
    let locks = world.folder.path().join("cache/sources/locks");
    assert_eq!(std::fs::read_dir(locks).unwrap().count(), 0);
}

#[test]
fn few_downloads_run_at_once_from_one_host() {
    let world = World::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (running.clone(), most.clone());
    let server = Server::start(move |asked, answer| {
        let count = now.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(count, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(10));
        now.fetch_sub(1, Ordering::SeqCst);
        answer.content(asked, asked.path.as_bytes(), "\"n\"");
    });
    let requests: Vec<Request> = (0..20)
        .map(|number| {
            let path = format!("/{number}");
            Request::File(wanted(path.as_bytes(), &[server.url(&path)]))
        })
        .collect();
    let sources = world.with(|settings| (settings.parallel, settings.http.per_host) = (12, 3));
    let results = sources.fetch_all(&requests, &quiet);
    for (number, result) in results.iter().enumerate() {
        let Ok(Fetched::File(file)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(
            sources.read(&file.file).unwrap(),
            format!("/{number}").into_bytes()
        );
    }
    let most = most.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
}

/// Not a test by itself: what `a_killed_download_goes_on` runs and kills.
#[test]
fn killed() {
    let (Some(cache), Some(url)) = (std::env::var_os("TEST_CACHE"), std::env::var("TEST_URL").ok()) else {
        return;
    };
    let settings = lazuli_source::Settings::new(cache.into());
    let request = wanted(&content(100_000), &[url]);
    let _ = Sources::open(settings).unwrap().file(&request, &quiet);
}

fn another_process(world: &World, url: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed"])
        .env("TEST_CACHE", world.folder.path().join("cache"))
        .env("TEST_URL", url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_download_goes_on() {
    let (world, bytes) = (World::new(), content(100_000));
    let body = bytes.clone();
    let (sent, half) = std::sync::mpsc::channel();
    let server = Server::start(move |asked, answer| match asked.start() {
        0 => {
            answer.head(200, &[("Content-Length", "100000")]);
            answer.bytes(&body[..60_000]);
            sent.send(()).unwrap();
            answer.wait();
        }
        _ => answer.content(asked, &body, "\"k\""),
    });
    let url = server.url("/file");
    let mut child = another_process(&world, &url);
    half.recv_timeout(Duration::from_secs(20)).unwrap();
    let part = format!("sha512-{}.part", sha512(&bytes).hex());
    let part = world.folder.path().join("cache/sources/parts").join(part);
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::fs::metadata(&part).map_or(0, |part| part.len()) < 60_000 {
        assert!(Instant::now() < deadline, "the part does not grow");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    world.sources().file(&wanted(&bytes, &[url]), &quiet).unwrap();
    assert_eq!(server.asked().last().unwrap().start(), 60_000);
    assert!(world.parts().is_empty());
}

#[test]
fn two_processes_fetch_one_file_once() {
    let (world, bytes) = (World::new(), content(100_000));
    let body = bytes.clone();
    let (begun, other) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let may_go = Mutex::new(may_go);
    let server = Server::start(move |asked, answer| {
        begun.send(()).unwrap();
        may_go
            .lock()
            .unwrap()
            .recv_timeout(Duration::from_secs(20))
            .unwrap();
        answer.content(asked, &body, "\"k\"");
    });
    let url = server.url("/file");
    let mut child = another_process(&world, &url);
    other.recv_timeout(Duration::from_secs(20)).unwrap();
    // The other process holds the lock; we wait for it, and find the file in the store.
    let sources = world.sources();
    let waiting = std::thread::spawn(move || sources.file(&wanted(&content(100_000), &[url]), &quiet));
    go.send(()).unwrap();
    waiting.join().unwrap().unwrap();
    child.wait().unwrap();
    assert_eq!(server.asked().len(), 1);
}
