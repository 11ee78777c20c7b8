package lead

import (
	"bytes"
	"encoding/json"

	"github.com/google/uuid"
)

// The namespaces of CASE 1.x and UCO 1.x (caseontology.org,
// unifiedcyberontology.org), and what is in the package alone.
func (l Lead) context() map[string]string {
	return map[string]string{
		"kb":                 "urn:concert:lead:" + l.ID + ":",
		"case-investigation": "https://ontology.caseontology.org/case/investigation/",
		"uco-core":           "https://ontology.unifiedcyberontology.org/uco/core/",
		"uco-identity":       "https://ontology.unifiedcyberontology.org/uco/identity/",
		"uco-observable":     "https://ontology.unifiedcyberontology.org/uco/observable/",
		"uco-types":          "https://ontology.unifiedcyberontology.org/uco/types/",
		"uco-vocabulary":     "https://ontology.unifiedcyberontology.org/uco/vocabulary/",
		"xsd":                "http://www.w3.org/2001/XMLSchema#",
	}
}

// node is one object of a JSON-LD graph.
type node map[string]any

// caseUCO is the package as JSON-LD: a Bundle with the Investigation, the exhibit with
// its ProvenanceRecord, both authorities, and each person's facts as observables.
// UCO wants identifiers that end in a UUID; they follow from the package's own texts.
func (l Lead) caseUCO() ([]byte, error) {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:concert:lead:"+l.ID))
	id := func(kind, text string) string {
		return "kb:" + kind + "-" + uuid.NewSHA1(space, []byte(kind+"\x00"+text)).String()
	}
	ref := func(id string) node { return node{"@id": id} }
	when := func(t string) node { return node{"@type": "xsd:dateTime", "@value": t} }
	from, to, exhibit, record, investigation := id("organization", "from"), id("organization", "to"), id("exhibit", ""), id("provenance-record", ""), id("investigation", "")
	objects := []node{
		{"@id": from, "@type": "uco-identity:Organization", "uco-core:name": l.From},
		{"@id": to, "@type": "uco-identity:Organization", "uco-core:name": l.To},
		{"@id": exhibit, "@type": "uco-observable:ObservableObject", "uco-core:name": l.Exhibit.ID, "uco-core:description": "Manifest of the sealed exhibit; custody head " + l.Exhibit.CustodyHead,
			"uco-core:hasFacet": []node{{"@id": id("content-data-facet", ""), "@type": "uco-observable:ContentDataFacet", "uco-observable:hash": []node{{"@id": id("hash", ""), "@type": "uco-types:Hash",
				"uco-types:hashMethod": node{"@type": "uco-vocabulary:HashNameVocab", "@value": "SHA256"}, "uco-types:hashValue": node{"@type": "xsd:hexBinary", "@value": l.Exhibit.ManifestSHA256}}}}}},
	}
	var members, facts []node
	for _, p := range l.Persons {
		who := id("identity", p.Pseudonym)
		objects = append(objects, node{"@id": who, "@type": "uco-identity:Identity", "uco-core:name": p.Pseudonym, "uco-core:description": "Pseudonym of this package", "uco-core:tag": []string{"category:" + string(p.Category)}})
		members = append(members, ref(who))
		for _, f := range p.Facts {
			key := p.Pseudonym + "\x00" + f.Kind + "\x00" + f.At + "\x00" + f.SourceRef + "\x00" + f.Rule
			fact := id("event-record", key)
			facts = append(facts, ref(fact))
			objects = append(objects, node{"@id": fact, "@type": []string{"uco-observable:EventRecord", "uco-observable:ObservableObject"}, "uco-core:tag": []string{"evaluation:" + f.Evaluation},
				"uco-core:hasFacet": []node{{"@id": id("event-record-facet", key), "@type": "uco-observable:EventRecordFacet", "uco-observable:eventRecordID": f.SourceRef, "uco-observable:eventType": f.Kind,
					"uco-observable:eventRecordServiceName": f.Rule, "uco-observable:observableCreatedTime": when(f.At)}}},
				node{"@id": id("relationship", key), "@type": "uco-core:Relationship", "uco-core:source": ref(fact), "uco-core:target": ref(who), "uco-core:kindOfRelationship": "Attributed_To", "uco-core:isDirectional": true})
		}
	}
	members = append(append(members, ref(exhibit), ref(record)), facts...)
	objects = append(objects,
		node{"@id": record, "@type": "case-investigation:ProvenanceRecord", "case-investigation:exhibitNumber": l.Exhibit.ID, "uco-core:description": "Custody head " + l.Exhibit.CustodyHead, "uco-core:object": append([]node{ref(exhibit)}, facts...)},
		node{"@id": investigation, "@type": "case-investigation:Investigation", "uco-core:name": l.Case, "uco-core:object": members})
	graph := node{"@context": l.context(), "@id": id("bundle", ""), "@type": "uco-core:Bundle", "uco-core:name": "Lead package " + l.ID + " for " + l.Country, "uco-core:createdBy": ref(from),
		"uco-core:objectCreatedTime": when(l.Made), "uco-core:tag": []string{"handling:" + string(l.Handling), "evaluation:" + l.Evaluation}, "uco-core:object": objects}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(graph)
	return b.Bytes(), err
}
