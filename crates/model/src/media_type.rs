//! What a file is, by the ending of its name.

/// The media type of a file; `application/octet-stream` when its name tells nothing. It is a hint for people and
/// programs, never a reason to run something.
pub fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "txt" | "log" | "out" | "err" | "py" | "pyi" | "rs" | "c" | "h" | "cc" | "cpp" | "hpp" | "cu" | "java"
        | "go" | "sh" | "bash" | "zsh" | "slurm" | "sbatch" | "r" | "jl" | "sql" | "lua" | "cfg" | "conf" | "ini"
        | "toml" | "yaml" | "yml" | "env" | "diff" | "patch" | "tex" | "rst" | "lock" | "ts" | "tsx" | "jsx" => {
            "text/plain"
        }
        "md" | "markdown" => "text/markdown",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" | "mjs" => "text/javascript",
        "xml" => "application/xml",
        "json" | "ipynb" | "map" => "application/json",
        "jsonl" | "ndjson" => "application/jsonl",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "svg" => "image/svg+xml",
        "tif" | "tiff" => "image/tiff",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" | "aac" => "audio/mp4",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "tar" => "application/x-tar",
        "zst" => "application/zstd",
        "parquet" => "application/vnd.apache.parquet",
        "arrow" | "feather" => "application/vnd.apache.arrow.file",
        "arrows" => "application/vnd.apache.arrow.stream",
        "h5" | "hdf5" => "application/x-hdf5",
        "gltf" => "model/gltf+json",
        "glb" => "model/gltf-binary",
        "obj" => "model/obj",
        "stl" => "model/stl",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn the_last_ending_counts_in_any_case() {
        assert_eq!(media_type("a/b/model.PT"), "application/octet-stream");
        assert_eq!(media_type("plot.final.PNG"), "image/png");
        assert_eq!(media_type("train.log"), "text/plain");
        assert_eq!(media_type("Makefile"), "application/octet-stream");
    }
}
