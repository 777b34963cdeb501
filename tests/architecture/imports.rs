//! Which file imports which, read from the sources' text.
use std::collections::{BTreeMap, BTreeSet};

/// Modules, each with those that it imports.
type Graph = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// The module of a file, given its path below `src/` with `/` between its parts.
fn module(file: &str) -> Vec<String> {
    let path = file.strip_suffix(".rs").unwrap();
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').map(str::to_owned).collect()
}

/// The paths of this crate that a text names, in `use` declarations and elsewhere.
pub(super) fn paths(text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in text.match_indices(root) {
            if !text[..at].ends_with(is_word) {
                read_tree(&text[at..], &[], &mut paths);
            }
        }
    }
    paths
}

/// Reads `a::b`, or `a::{b, c::d}`, below a prefix. What follows it.
fn read_tree<'a>(text: &'a str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut items) = rest.strip_prefix('{') {
            loop {
                items = items.trim_start_matches([',', ' ', '\n']);
                match items.strip_prefix('}') {
                    Some(after) => return after,
                    None if items.is_empty() => return items,
                    None => items = read_tree(items, &path, paths),
                }
            }
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word != "self" || path.is_empty() {
            path.push(word.to_owned());
        }
        match after.strip_prefix("::") {
            Some(more) => rest = more,
            None => {
                paths.push(path);
                // A new name, `as …`, is no path.
                return after.trim_start_matches(|c| !matches!(c, ',' | '}' | ';'));
            }
        }
    }
}

/// A path as seen from the root of the crate.
pub(super) fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let mut from = module.to_vec();
    let mut path = path;
    while let Some((first, rest)) = path.split_first() {
        match first.as_str() {
            "crate" => from.clear(),
            "super" => _ = from.pop(),
            "self" => {}
            _ => break,
        }
        path = rest;
    }
    [from, path.to_vec()].concat()
}

/// What each of these files imports of the others. A file is its path below `src/`, and its text.
pub(super) fn graph(files: &[(String, String)]) -> Graph {
    let modules: BTreeSet<_> = files.iter().map(|(file, _)| module(file)).collect();
    let mut graph = Graph::new();
    for (file, text) in files {
        let from = module(file);
        let imported = paths(text).into_iter().filter_map(|path| {
            let path = absolute(&path, &from);
            let parts = (1..=path.len()).rev().map(|length| &path[..length]);
            let found = parts.into_iter().find(|part| modules.contains(*part))?;
            (*found != from[..]).then(|| found.to_vec())
        });
        graph.insert(from.clone(), imported.collect());
    }
    graph
}

/// A circle of imports, if there is one, such as `a → b → a`.
pub(super) fn circle(graph: &Graph) -> Option<String> {
    let mut done = BTreeSet::new();
    graph
        .keys()
        .find_map(|start| walk(graph, start, &mut Vec::new(), &mut done))
}

fn walk<'a>(
    graph: &'a Graph,
    at: &'a Vec<String>,
    way: &mut Vec<&'a Vec<String>>,
    done: &mut BTreeSet<&'a Vec<String>>,
) -> Option<String> {
    if let Some(begin) = way.iter().position(|module| *module == at) {
        way.push(at);
        let names: Vec<_> = way[begin..].iter().map(|path| path.join("::")).collect();
        return Some(names.join(" → "));
    }
    if !done.insert(at) {
        return None;
    }
    way.push(at);
    let found = graph[at]
        .iter()
        .find_map(|next| walk(graph, next, way, done));
    way.pop();
    found
}

#[test]
fn paths_are_read_out_of_trees() {
    let text = "use crate::a::{b, c::{self, D as E}, f};\nlet g = super::h(self::I);";
    let text = paths(text).into_iter().map(|path| path.join("::"));
    let found: Vec<_> = text.collect();
    let expected = [
        "crate::a::b",
        "crate::a::c",
        "crate::a::c::D",
        "crate::a::f",
        "super::h",
        "self::I",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_circle_is_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let mut files = [
        file("a/mod.rs", "use self::b::B;\npub mod b;"),
        file("a/b.rs", "use crate::c::{C, D};"),
        file("c.rs", "use std::fmt;"),
    ];
    assert_eq!(circle(&graph(&files)), None);
    files[2].1 = "fn e() -> crate::a::F { todo!() }".to_owned();
    let found = circle(&graph(&files)).unwrap();
    assert_eq!(found, "a → a::b → c → a");
    files[1].1 = "use super::A;".to_owned();
    assert_eq!(circle(&graph(&files)).unwrap(), "a → a::b → a");
}
