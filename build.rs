//! Makes two lines of `www/openapi.json`: the document without its white space, and the start page's
//! account of it.

use serde_json::Value;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "www/openapi.json";
const METHODS: [&str; 2] = ["get", "post"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let document: Value = serde_json::from_str(&fs::read_to_string(SOURCE)?)?;
    let out = env::var("OUT_DIR")?;
    // In one file, as much of the second line is in the first: apart, too far for gzip to see, they would be
    // a seventh larger in the upload.
    let texts = format!("{document}\n{}", endpoints(&document)?);
    fs::write(Path::new(&out).join("openapi.txt"), texts)?;
    Ok(())
}

/// A section for each tag, in it what each operation takes and answers.
fn endpoints(document: &Value) -> Result<String, Box<dyn Error>> {
    let mut html = String::new();
    for tag in list(document, "/tags") {
        let (name, about) = (text(tag, "name"), text(tag, "description"));
        write!(html, "<h2>{}</h2><p>{}</p>", prose(name), prose(about))?;
        for (path, item) in fields(document, "/paths") {
            for (method, operation) in fields(item, "") {
                if METHODS.contains(&method) && list(operation, "/tags").any(|one| one == name) {
                    let shown = Shown {
                        document,
                        path,
                        item,
                        method,
                        operation,
                    };
                    shown.write(&mut html)?;
                }
            }
        }
    }
    Ok(html)
}

struct Shown<'a> {
    document: &'a Value,
    path: &'a str,
    item: &'a Value,
    method: &'a str,
    operation: &'a Value,
}

impl Shown<'_> {
    fn write(&self, html: &mut String) -> Result<(), Box<dyn Error>> {
        let (method, summary) = (self.method, text(self.operation, "summary"));
        write!(
            html,
            "<details><summary><b class={method}>{}</b> <code>{}</code> <span>{}</span></summary>",
            method.to_uppercase(),
            // So that a line breaks before a segment, if it must.
            escape(self.path).replace('/', "<wbr>/"),
            prose(summary)
        )?;
        let description = text(self.operation, "description");
        if !description.is_empty() {
            write!(html, "<p>{}</p>", prose(description))?;
        }
        html.push_str("<dl>");
        self.row(html, "Credential", &self.credential())?;
        for parameter in list(self.item, "/parameters").chain(list(self.operation, "/parameters")) {
            let parameter = self.resolved(parameter);
            let name = format!(
                "{} <i>{}</i>",
                text(parameter, "name"),
                text(parameter, "in")
            );
            self.row(html, &name, &prose(text(parameter, "description")))?;
        }
        if let Some(body) = self.operation.get("requestBody") {
            self.row(html, "Body", &prose(text(body, "description")))?;
            let schema = body.pointer("/content/application~1json/schema");
            let properties = schema.map(|schema| fields(self.resolved(schema), "/properties"));
            for (name, schema) in properties.into_iter().flatten() {
                let name = format!("{name} <i>body</i>");
                self.row(html, &name, &prose(text(schema, "description")))?;
            }
        }
        for (status, response) in fields(self.operation, "/responses") {
            let description = text(self.resolved(response), "description");
            self.row(html, status, &prose(description))?;
        }
        html.push_str("</dl></details>");
        Ok(())
    }

    fn row(&self, html: &mut String, name: &str, about: &str) -> std::fmt::Result {
        write!(html, "<div><dt>{name}</dt><dd>{about}</dd></div>")
    }

    fn credential(&self) -> String {
        let security = self.operation.get("security");
        let security = security.or_else(|| self.document.get("security"));
        let alternatives = security.and_then(Value::as_array).into_iter().flatten();
        let names: Vec<&str> = alternatives
            .filter_map(|schemes| schemes.as_object()?.keys().next())
            .map(|scheme| match scheme.as_str() {
                "secretKey" => "secret key",
                "publicToken" => "public access token",
                other => other,
            })
            .collect();
        match (names.is_empty(), self.path.contains("{credential}")) {
            (true, true) => "the one in the path".to_owned(),
            (true, false) => "none".to_owned(),
            (false, _) => names.join(", or "),
        }
    }

    /// What a `$ref` names.
    fn resolved<'b>(&'b self, value: &'b Value) -> &'b Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        let place = reference.and_then(|reference| reference.strip_prefix('#'));
        place
            .and_then(|place| self.document.pointer(place))
            .unwrap_or(value)
    }
}

fn list<'a>(value: &'a Value, place: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.pointer(place).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn fields<'a>(value: &'a Value, place: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let fields = value.pointer(place).and_then(Value::as_object);
    let fields = fields.into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Markdown as far as the document uses it: code between backticks.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in escape(text).split('`').enumerate() {
        html += match (index, index % 2) {
            (0, _) => "",
            (_, 1) => "<code>",
            _ => "</code>",
        };
        html += part;
    }
    html
}
