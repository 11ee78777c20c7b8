package formats

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"concert/internal/accesslog"
)

// worldMap is Natural Earth's countries (public domain), made by bench/gen-worldmap.
//
//go:embed worldmap.tsv
var worldMap string

// mapShape is a country's outline in a box of mapWidth by mapHeight.
type mapShape struct{ code, name, path string }

const (
	mapWidth  = 1000.0
	mapHeight = 445.0
)

var mapShapes = sync.OnceValue(func() []mapShape {
	var list []mapShape
	for line := range strings.Lines(worldMap) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) == 3 {
			list = append(list, mapShape{f[0], f[1], f[2]})
		}
	}
	return list
})

func countryNames() map[string]string {
	names := map[string]string{}
	for _, s := range mapShapes() {
		if names[s.code] == "" || s.name == "Cyprus" || s.name == "Somalia" {
			names[s.code] = s.name
		}
	}
	return names
}

// mapSteps are the classes of a map: from so many visitors on. Each is ten times
// the one before, since countries differ that much.
var mapSteps = []int64{1, 10, 100, 1_000, 10_000, 100_000}

// mapClass is a number's class, 0 for none.
func mapClass(n int64) int {
	class := 0
	for i, from := range mapSteps {
		if n >= from {
			class = i + 1
		}
	}
	return class
}

func mapLegend(say Say, class int) string {
	switch {
	case class == 0:
		return say("none")
	case class == len(mapSteps):
		return say("%s and more", grouped(mapSteps[class-1]))
	}
	return say("%s to %s", grouped(mapSteps[class-1]), grouped(mapSteps[class]-1))
}

// mapNumber is what the map shows of a country: visitors by address, without
// known bots where bots were told apart.
func mapNumber(c accesslog.Country) int64 {
	if c.VisitorsWithoutBots != nil {
		return *c.VisitorsWithoutBots
	}
	return c.Visitors
}

// worldMap draws the map; each country says its name and number.
func (p *accessPage) worldMap(r *accesslog.Report) {
	what := p.say("visitors by address")
	if r.Bots != nil {
		what = p.say("visitors by address without known bots")
	}
	named := 0
	for code := range r.Countries {
		if code != "unknown" {
			named++
		}
	}
	p.printf("<figure>\n<figcaption>%s</figcaption>\n", esc(p.say("World map: %s, by country. The same numbers stand in the table of countries.", what)))
	p.printf("<svg class=\"map\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", mapWidth, mapHeight, esc(p.say("World map of %s in %d countries; the table of countries has the numbers", what, named)))
	most := 0
	for _, s := range mapShapes() {
		n := mapNumber(r.Countries[s.code])
		class := mapClass(n)
		most = max(most, class)
		p.printf("<path class=\"c%d\" d=\"%s\"><title>%s: %s</title></path>\n", class, s.path, esc(s.name), grouped(n))
	}
	p.printf("</svg>\n<ul class=\"legend\">\n")
	for class := range most + 1 {
		p.printf("<li><svg viewBox=\"0 0 20 12\" width=\"20\" height=\"12\" aria-hidden=\"true\"><rect class=\"c%d\" width=\"20\" height=\"12\"></rect></svg> %s</li>\n", class, esc(mapLegend(p.say, class)))
	}
	p.printf("</ul>\n<p class=\"quiet\">%s</p>\n</figure>\n", esc(p.say("Shapes: Natural Earth 1:110m (public domain), Equal Earth projection; small states are in the table only. Outlines say nothing about claims to territory.")))
}

// mapRings reads a shape's outlines as points.
func mapRings(path string) ([][][2]float64, error) {
	var rings [][][2]float64
	for part := range strings.SplitSeq(path, "z") {
		if part == "" {
			continue
		}
		start, steps, ok := strings.Cut(strings.TrimPrefix(part, "M"), "l")
		if !ok {
			return nil, fmt.Errorf("a shape of the world map has no steps")
		}
		var ring [][2]float64
		x, y := 0.0, 0.0
		numbers := strings.Fields(start + " " + steps)
		for i := 0; i+1 < len(numbers); i += 2 {
			dx, err := strconv.Atoi(numbers[i])
			if err != nil {
				return nil, err
			}
			dy, err := strconv.Atoi(numbers[i+1])
			if err != nil {
				return nil, err
			}
			x, y = x+float64(dx), y+float64(dy)
			ring = append(ring, [2]float64{x, y})
		}
		rings = append(rings, ring)
	}
	return rings, nil
}
