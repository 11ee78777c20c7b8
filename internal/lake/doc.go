// Package lake keeps the accesses of a case's logs as pseudonymised rows in
// Parquet files, laid out so that any engine that reads hive partitions can ask
// them, and answers a fixed catalogue of questions itself.
//
// A lake is a directory that is written once: parts below lake/, a manifest that
// names each part with its digest, a signature over the manifest, and the locked
// list of whom the pseudonyms stand for. The manifest is the truth about what
// belongs to the lake, never the directory listing: an answer is given from all
// parts that it names, each as it was written, or not at all. The form is
// specified in docs/formats/lake.md.
package lake
