// Package match says where a suspected item is and whether that place may be referred at all.
//
// # Location
//
// [Locate] turns what a person or a machine typed into a [Location]: a kind plus an id. (Kind, Canonical) is the duplicate
// key: two spellings of one place give one text. The canonical text is a key and not an address to fetch; the caller
// keeps what was typed beside it. [Location.String] is the canonical text and Locate reads it back to the same Location.
//
// Accepted texts:
//
//	https://host/path?query           a web page, or what a platform rule makes of it (channel, message, account, app, ...)
//	host/path                         the same without a scheme; hxxps://host[.]example/ and //host/path as well
//	http://<56 characters>.onion/     an onion service, version 3, checksum verified
//	tg://resolve?domain=name&post=1   Telegram's own links (resolve, join, privatepost)
//	channel:platform/id               channel:telegram/name, channel:telegram/-1001234567890 (private), channel:telegram/+hash (invite)
//	message:platform/channel/id       message:telegram/name/123
//	account:platform/id               account:x/12345 by stable id, account:x/@handle by handle
//	bot:platform/name                 bot:telegram/examplebot
//	app:store/package[?cert=sha256]   app:google-play/org.example.app, app:apple/123456789, app:apk/org.example.app?cert=<64 hex>
//	extension:store/id                extension:chrome/<32 letters a-p>, extension:firefox/slug
//	newsletter:list-id/sender         newsletter:news.example.org/sender@example.org (List-Id of RFC 2919)
//	stream:url                        stream:rtmp://host/app/key, stream:https://host/live.m3u8
//
// # Web identity
//
// The WHATWG URL standard is applied first, then these rules, each chosen so that a false merge is rarer than a missed one:
// http and https on their default ports are one place; "www." directly under the registrable domain is dropped (nowhere
// else, and not with a port); trailing dot, default port, empty query and trailing slash are dropped; duplicate slashes
// collapse, except behind "http:" or "https:" inside a path, as web archives write; percent-encoded unreserved characters are
// decoded and the rest is written in upper case; session and tracking parameters go; parameters are sorted by name, equal
// names keep their order; "+" and "%20" in a query are one space; "a=" is "a". The fragment goes unless it routes ("#/", "#!")
// or the platform says so. "m.", "amp." and the like are merged only where a platform rule says that they are one house.
// Letter case of the path is kept: on most servers it is identity. Platform rules are data, rules/platforms.json.
//
// # Guard
//
// [Rules.Check] answers pass, elevate (second approval with written proportionality) or stop (safeguard G05: the 550 false
// notices of April 2019 named collections, search pages and whole archives). The rules are data in rules/*.json, each with
// id, what, reason and source. Stop wins over elevate, and a place that no rule knows is an item. The invariant: a verdict
// depends on (Kind, Canonical) alone, so no other spelling of a place gets another verdict.
//
// The package does no I/O beyond reading its rules, and asks nobody whether a place exists.
package match
