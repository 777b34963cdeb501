//! What the house may not do.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PURE: [&str; 29] = [
    "time",
    "token",
    "delivery",
    "wire",
    "wire/answers",
    "auth",
    "caller",
    "recent",
    "route",
    "page",
    "error",
    "jwt",
    "encoding",
    "entry",
    "list",
    "openapi",
    "limit",
    "webhook",
    "upstream",
    "fingerprint",
    "approval",
    "text",
    "text/packed",
    "text/tables",
    "words",
    "client/reference",
    "client/retry",
    "worker/record",
    "worker/envelope",
];

/// Platforms, clocks and sources of randomness.
const IMPURE: [&str; 8] = [
    "worker::",
    "wasm_bindgen",
    "js_sys",
    "web_sys",
    "SystemTime",
    "Instant::now",
    "getrandom",
    "rand::",
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file in `dir` and below it, with its text; none if there is no such directory.
fn files(dir: &Path) -> Vec<(PathBuf, String)> {
    files_of("rs", dir)
}

fn files_of(language: &str, dir: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_of(language, &path));
        } else if path.extension().is_some_and(|end| end == language) {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
    files
}

fn named<'a>(text: &str, words: &[&'a str]) -> Vec<&'a str> {
    words
        .iter()
        .copied()
        .filter(|word| text.contains(word))
        .collect()
}

fn without_comments(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The lines, from 1, that are too long or end in white space.
fn untidy(text: &str) -> Vec<usize> {
    let tidy = |line: &str| line.chars().count() <= 110 && line == line.trim_end();
    let lines = text.split('\n').zip(1..);
    lines
        .filter(|(line, _)| !tidy(line))
        .map(|(_, number)| number)
        .collect()
}

#[test]
fn the_pure_modules_know_no_platform() {
    for module in PURE {
        let text = fs::read_to_string(src().join(module).with_extension("rs")).unwrap();
        assert_eq!(named(&text, &IMPURE), [""; 0], "{module}.rs");
    }
    let bad = "use worker::Env;\nlet now = std::time::SystemTime::now();";
    assert_eq!(named(bad, &IMPURE), ["worker::", "SystemTime"]);

    let text = fs::read_to_string(src().join("../ARCHITECTURE.md")).unwrap();
    let (_, law) = text.split_once("The pure modules (`").unwrap();
    let (names, _) = law.split_once('`').unwrap();
    let told: BTreeSet<_> = names.split_whitespace().collect();
    assert_eq!(told, BTreeSet::from(PURE), "the law as it is told");
}

#[test]
fn the_state_machine_knows_neither_its_wire_form_nor_its_stored_form() {
    let forms = ["serde", "json", "sql", "Sql"];
    let text = fs::read_to_string(src().join("token.rs")).unwrap();
    assert_eq!(named(&without_comments(&text), &forms), [""; 0]);

    let bad = "/// `application/json`\n#[derive(serde::Serialize)]\n    // sql\nstruct Row;";
    assert_eq!(named(&without_comments(bad), &forms), ["serde"]);
}

#[test]
fn client_and_worker_never_meet() {
    for (dir, other) in [("client", "crate::worker"), ("worker", "crate::client")] {
        for (path, text) in files(&src().join(dir)) {
            assert_eq!(named(&text, &[other]), [""; 0], "{}", path.display());
        }
    }
    let bad = "use crate::worker::Settings;";
    assert_eq!(named(bad, &["crate::worker"]), ["crate::worker"]);
}

/// The name and the text of a constant in a line of either language, without its quotes.
fn constant(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once("const ")?.1.split_once('=')?;
    let value = value.trim().strip_suffix(';')?;
    let is_text = value.starts_with(['"', '\'']);
    is_text.then(|| {
        (
            name.split(':').next().unwrap().trim(),
            value.trim_matches(['"', '\'']),
        )
    })
}

fn constants(texts: &[(PathBuf, String)]) -> BTreeMap<&str, &str> {
    let lines = texts.iter().flat_map(|(_, text)| text.lines());
    lines.filter_map(constant).collect()
}

#[test]
fn what_rust_and_javascript_both_name_is_the_same() {
    let worker = src().join("worker");
    let (rust, javascript) = (files(&worker), files_of("js", &worker));
    let (ours, theirs) = (constants(&rust), constants(&javascript));
    let both: Vec<_> = ours
        .keys()
        .filter(|name| theirs.contains_key(*name))
        .collect();
    assert_eq!(both, [&"COMMAND_HEADER"], "they have moved");
    for name in both {
        assert_eq!(ours[name], theirs[name], "{name}");
    }

    let read = [
        "pub(super) const A: &str = \"a\";",
        "export const A = '\"a\"';",
    ]
    .map(constant);
    assert_eq!(read, [Some(("A", "a")); 2]);
    let others = ["const B: u8 = 1;", "const B = /b/;", "let b = \"b\";"].map(constant);
    assert_eq!(others, [None; 3]);
}

#[test]
fn every_setting_that_is_read_tells_editions_apart() {
    let settings = fs::read_to_string(src().join("worker/settings.rs")).unwrap();
    let list = settings.split_once("const NAMES: [&str; 5] = [").unwrap().1;
    let list = list.split_once(']').unwrap().0;
    let names: Vec<_> = settings
        .split("setting(")
        .skip(1)
        .filter_map(|call| call.trim_start_matches("env, ").strip_prefix('"'))
        .map(|call| call.split_once('"').unwrap().0)
        .collect();
    assert_eq!(names.len(), 5, "they have moved");
    for name in names {
        assert!(list.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn the_sources_are_tidy() {
    let files = files(&src());
    assert!(files.len() >= 7);
    for (path, text) in files {
        assert_eq!(untidy(&text), [0; 0], "{}", path.display());
    }
    let bad = format!(
        "fine\ntrailing \n{}\n\t\n{}",
        "x".repeat(111),
        "é".repeat(110)
    );
    assert_eq!(untidy(&bad), [2, 3, 4]);
}
