// Command gen-worldmap makes internal/formats/worldmap.tsv of the file
// countries-110m.json in the npm package world-atlas 2.0.2: Natural Earth's
// countries at 1:110 million, which are in the public domain. It was run once:
//
//	go run ./bench/gen-worldmap countries-110m.json > internal/formats/worldmap.tsv
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

type topology struct {
	Arcs      [][][2]float64 `json:"arcs"`
	Transform struct {
		Scale, Translate [2]float64
	} `json:"transform"`
	Objects struct {
		Countries struct {
			Geometries []struct {
				Type       string
				ID         string
				Properties struct{ Name string }
				Arcs       json.RawMessage
			}
		}
	}
}

// width of the map, in its own units.
const width = 1000

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen-worldmap:", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var t topology
	if err := json.Unmarshal(text, &t); err != nil {
		return err
	}
	var lines []string
	for _, g := range t.Objects.Countries.Geometries {
		code := map[string]string{"Kosovo": "XK", "Somaliland": "SO", "N. Cyprus": "CY"}[g.Properties.Name]
		if g.ID != "" {
			n, err := strconv.Atoi(g.ID)
			if err != nil {
				return err
			}
			r, err := language.EncodeM49(n)
			if err != nil {
				return err
			}
			code = r.String()
		}
		if code == "AQ" || code == "" {
			continue
		}
		var polygons [][][]int
		if g.Type == "Polygon" {
			polygons = make([][][]int, 1)
			err = json.Unmarshal(g.Arcs, &polygons[0])
		} else {
			err = json.Unmarshal(g.Arcs, &polygons)
		}
		if err != nil {
			return err
		}
		path := ""
		for _, p := range polygons {
			for _, ring := range p {
				path += t.ring(ring)
			}
		}
		if path != "" {
			lines = append(lines, code+"\t"+g.Properties.Name+"\t"+path)
		}
	}
	slices.Sort(lines)
	fmt.Println("# Countries of Natural Earth 1:110m (public domain), by world-atlas 2.0.2 (npm), Equal Earth projection, 1000 units wide; made by bench/gen-worldmap")
	fmt.Println(strings.Join(lines, "\n"))
	return nil
}

// ring is one outline as an SVG path with relative steps.
func (t *topology) ring(arcs []int) string {
	var points [][2]int
	var lons []float64
	for _, wrapped := range []bool{false, true} {
		if wrapped && (len(lons) == 0 || slices.Max(lons)-slices.Min(lons) < 300) {
			break // only an outline that crosses the date line is put together on one side of it
		}
		points = nil
		for _, a := range arcs {
			backwards := a < 0
			if backwards {
				a = ^a
			}
			var arc [][2]int
			x, y := 0.0, 0.0
			for _, d := range t.Arcs[a] {
				x, y = x+d[0], y+d[1]
				lon := x*t.Transform.Scale[0] + t.Transform.Translate[0]
				lons = append(lons, lon)
				if wrapped && lon < 0 {
					lon += 360
				}
				arc = append(arc, project(lon, y*t.Transform.Scale[1]+t.Transform.Translate[1]))
			}
			if backwards {
				slices.Reverse(arc)
			}
			points = append(points, arc...)
		}
	}
	points = slices.Compact(points)
	if len(points) < 4 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %dl", points[0][0], points[0][1])
	for i := 1; i < len(points)-1; i++ {
		if i > 1 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d %d", points[i][0]-points[i-1][0], points[i][1]-points[i-1][1])
	}
	return b.String() + "z"
}

// project is the Equal Earth projection (Šavrič, Patterson, Jenny 2018): areas
// keep their proportions, as a map of counts must.
func project(lon, lat float64) [2]int {
	const a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
	theta := math.Asin(math.Sqrt(3) / 2 * math.Sin(lat*math.Pi/180))
	t2 := theta * theta
	t6 := t2 * t2 * t2
	x := 2 * math.Sqrt(3) * (lon * math.Pi / 180) * math.Cos(theta) / (3 * (9*a4*t6*t2 + 7*a3*t6 + 3*a2*t2 + a1))
	y := a4*t6*t2*theta + a3*t6*theta + a2*t2*theta + a1*theta
	scale := width / 5.413
	return [2]int{int(math.Round(x*scale + width/2)), int(math.Round(1.32*scale - y*scale))}
}
