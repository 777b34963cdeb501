//! What must hold for the sources as a whole.
mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What is as pure as `domain/` and does not stand in it yet.
const PURE_ELSEWHERE: [&str; 2] = ["client/reference", "client/retry"];

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

/// The most lines of a file.
const LINES: usize = 400;
/// The most characters of a line of Rust, which is in comments and literals: rustfmt wraps the code.
const COLUMNS_OF_RUST: usize = 110;
/// The most characters of a line of JavaScript or TypeScript.
const COLUMNS_OF_JAVASCRIPT: usize = 100;
/// The most lines of the Worker's own JavaScript, all files together.
const LINES_OF_WORKER_JAVASCRIPT: usize = 200;

/// Files that are longer, and how long they may be. Who shortens one lowers its number, or strikes it out.
const LONGER: [(&str, usize); 1] = [
    // Generated.
    ("src/domain/text/tables.rs", 438),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn src() -> PathBuf {
    root().join("src")
}

/// Every Rust file in `dir` and below it, with its text; none if there is no such directory.
fn files(dir: &Path) -> Vec<(PathBuf, String)> {
    files_of(&["rs"], dir)
}

fn files_of(languages: &[&str], dir: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let end = path.extension().and_then(|end| end.to_str());
        if path.is_dir() {
            // What is installed or generated is nobody's source.
            if name != "node_modules" && path != root().join("pkg/wasm") {
                files.extend(files_of(languages, &path));
            }
        } else if end.is_some_and(|end| languages.contains(&end)) {
            let text = fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
    files
}

/// Everything that is written by hand in Rust, JavaScript and TypeScript, by its path in the repository.
fn sources() -> Vec<(String, String)> {
    let folders = [
        "src",
        "tests",
        "pkg",
        "www",
        "scripts",
        "bench",
        "examples",
        "fuzz/targets",
    ];
    let languages = ["rs", "js", "mjs", "cjs", "ts"];
    let files = folders
        .iter()
        .flat_map(|folder| files_of(&languages, &root().join(folder)));
    files
        .map(|(path, text)| (path_below(root(), &path), text))
        .collect()
}

fn path_below(folder: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(folder).unwrap().components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_str().unwrap())
        .collect();
    parts.join("/")
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

/// The lines, from 1, that are too wide or end in white space.
fn untidy(text: &str, columns: usize) -> Vec<usize> {
    let is_tidy = |line: &str| line.chars().count() <= columns && line == line.trim_end();
    let lines = text.split('\n').zip(1..);
    lines
        .filter(|(line, _)| !is_tidy(line))
        .map(|(_, number)| number)
        .collect()
}

#[test]
fn the_domain_knows_no_platform() {
    let mut pure = files(&src().join("domain"));
    for module in PURE_ELSEWHERE {
        let path = src().join(module).with_extension("rs");
        let text = fs::read_to_string(&path).unwrap();
        pure.push((path, text));
    }
    for (path, text) in pure {
        assert_eq!(named(&text, &IMPURE), [""; 0], "{}", path.display());
    }
    let bad = "use worker::Env;\nlet now = std::time::SystemTime::now();";
    assert_eq!(named(bad, &IMPURE), ["worker::", "SystemTime"]);
}

#[test]
fn the_domain_imports_itself_alone_and_never_in_a_circle() {
    let src = src();
    let files: Vec<_> = files(&src.join("domain"))
        .into_iter()
        .map(|(path, text)| (path_below(&src, &path), without_comments(&text)))
        .collect();
    assert!(files.len() > 40);
    assert_eq!(imports::circle(&imports::graph(&files)), None);

    let roots = files.iter().flat_map(|(_, text)| imports::paths(text));
    let roots = roots
        .filter(|path| path[0] == "crate")
        .map(|path| path[1].clone());
    let outside: BTreeSet<_> = roots.filter(|root| root != "domain").collect();
    assert_eq!(outside, BTreeSet::new());
}

#[test]
fn the_worker_never_imports_in_a_circle() {
    let src = src();
    let files: Vec<_> = files(&src.join("worker"))
        .into_iter()
        .map(|(path, text)| (path_below(&src, &path), without_comments(&text)))
        .collect();
    assert!(files.len() > 30);
    let mut graph = imports::graph(&files);
    for (module, imported) in &mut graph {
        // A file may use what the module around it declares.
        imported.remove(&module[..module.len() - 1]);
    }
    assert_eq!(imports::circle(&graph), None);
}

#[test]
fn the_state_machine_knows_neither_its_wire_form_nor_its_stored_form() {
    let forms = ["serde", "json", "sql", "Sql"];
    for (path, text) in files(&src().join("domain/token")) {
        let found = named(&without_comments(&text), &forms);
        assert_eq!(found, [""; 0], "{}", path.display());
    }

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
    let (rust, javascript) = (files(&worker), files_of(&["js"], &worker));
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
    let list = settings.split_once("const NAMES: [&str; ").unwrap().1;
    let (count, list) = list.split_once("] = [").unwrap();
    let list = list.split_once(']').unwrap().0;
    let names: Vec<_> = settings
        .split("setting(")
        .skip(1)
        .filter_map(|call| call.trim_start_matches("env, ").strip_prefix('"'))
        .map(|call| call.split_once('"').unwrap().0)
        .collect();
    assert_eq!(names.len().to_string(), count, "they have moved");
    for name in names {
        assert!(list.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn the_sources_are_tidy() {
    for (path, text) in files(&src()) {
        let untidy = untidy(&text, COLUMNS_OF_RUST);
        assert_eq!(untidy, [0; 0], "{}", path.display());
    }
    for (path, text) in sources().iter().filter(|(path, _)| !path.ends_with(".rs")) {
        let untidy = untidy(text, COLUMNS_OF_JAVASCRIPT);
        assert_eq!(untidy, [0; 0], "{path}: run `npm run format`");
    }
    let (too_wide, wide) = ("x".repeat(101), "é".repeat(100));
    let bad = format!("fine\ntrailing \n{too_wide}\n\t\n{wide}");
    assert_eq!(untidy(&bad, 100), [2, 3, 4]);
}

#[test]
fn files_are_short() {
    let sources = sources();
    let lengths: BTreeMap<_, _> = sources
        .iter()
        .map(|(path, text)| (path.as_str(), text.lines().count()))
        .collect();
    assert!(lengths.len() > 150);
    let longer: BTreeMap<_, _> = LONGER.into_iter().collect();
    for (path, length) in &lengths {
        let most = longer.get(path).copied().unwrap_or(LINES);
        assert!(
            *length <= most,
            "{path} has {length} lines; {most} are allowed"
        );
    }
    for (path, _) in LONGER {
        let is_longer = lengths.get(path).is_some_and(|length| *length > LINES);
        assert!(
            is_longer,
            "{path} has at most {LINES} lines, or is no more: strike it out"
        );
    }
}

#[test]
fn the_worker_has_little_javascript() {
    let files = files_of(&["js"], &src().join("worker"));
    let count: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    assert!(
        (1..=LINES_OF_WORKER_JAVASCRIPT).contains(&count),
        "{count} lines"
    );
}
