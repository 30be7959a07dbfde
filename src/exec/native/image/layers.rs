//! The layers of an image, from the papers that come with it: an OCI layout or what `docker save` writes.

use serde::Deserialize;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Most layers of an image.
const MAX_LAYERS: usize = 128;
/// How deep an index may lie in another.
const MAX_DEPTH: u32 = 3;

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

/// The files of the layers, the lowest first; none, if `root` is a root file system already.
pub(super) fn of(root: &Path) -> Result<Option<Vec<PathBuf>>, String> {
    if is_file(&root.join("oci-layout")) && is_file(&root.join("index.json")) {
        let index: Index = read(&root.join("index.json"))?;
        return layers(root, &index.manifests, MAX_DEPTH).map(Some);
    }
    if is_file(&root.join("manifest.json")) && !root.join("bin").exists() {
        let saved: Vec<Saved> = read(&root.join("manifest.json"))?;
        let saved = saved.into_iter().next().ok_or("the image names no layers")?;
        let files = saved.layers.iter().map(|layer| inside(root, layer));
        return files.take(MAX_LAYERS).collect::<Result<_, _>>().map(Some);
    }
    Ok(None)
}

fn layers(root: &Path, manifests: &[Descriptor], depth: u32) -> Result<Vec<PathBuf>, String> {
    let is_ours = |descriptor: &&Descriptor| {
        descriptor.platform.as_ref().is_none_or(|platform| platform.architecture == architecture())
    };
    let descriptor = manifests.iter().find(is_ours);
    let descriptor =
        descriptor.ok_or_else(|| format!("the image has nothing for this machine ({})", architecture()))?;
    let manifest: Manifest = read(&blob(root, &descriptor.digest)?)?;
    if !manifest.manifests.is_empty() && depth > 0 {
        return layers(root, &manifest.manifests, depth - 1);
    }
    if manifest.layers.len() > MAX_LAYERS {
        return Err(format!("the image has more than {MAX_LAYERS} layers"));
    }
    manifest.layers.iter().map(|layer| blob(root, &layer.digest)).collect()
}

/// This machine as images name it.
const fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// The file of a digest such as `sha256:0123…`.
fn blob(root: &Path, digest: &str) -> Result<PathBuf, String> {
    let (kind, name) = digest.split_once(':').ok_or("the image has a digest without a kind")?;
    inside(root, &format!("blobs/{kind}/{name}"))
}

/// A regular file of the layout, no part of whose path is a link.
fn inside(root: &Path, name: &str) -> Result<PathBuf, String> {
    let mut path = root.to_path_buf();
    for component in Path::new(name).components() {
        let Component::Normal(part) = component else { return Err(format!("the image names `{name}`")) };
        path.push(part);
        if fs::symlink_metadata(&path).map_or(true, |metadata| metadata.file_type().is_symlink()) {
            return Err(format!("the image has no `{name}`"));
        }
    }
    if path.is_file() { Ok(path) } else { Err(format!("the image has no `{name}`")) }
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    let words = |error: &dyn std::fmt::Display| format!("the papers of the image cannot be read: {error}");
    let text = fs::read(path).map_err(|error| words(&error))?;
    serde_json::from_slice(&text).map_err(|error| words(&error))
}
