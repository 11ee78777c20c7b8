// Package lead makes, opens, checks and receipts what one country receives of a
// seized server's access logs (docs/leads.md, docs/formats/lead.md): counts that
// hide few people, and persons only where two people of different roles categorised
// them as suspects on recorded facts and two released them. It takes plain values;
// who may release what is decided above.
//
// Its one invariant: nothing of the case's own pseudonyms, files or places in files
// stands in a package, so that two packages cannot be joined by them.
package lead
