package dashboard

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"os"
	"strconv"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// pngOf is an ROI's image file.
func pngOf(bin *ifcb.Bin, roi ifcb.ROI) ([]byte, error) {
	gray, err := bin.Gray(roi)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, gray); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeZip1 writes generation 1's zip: deflated; a table with names, an XML description, the images.
func writeZip1(w io.Writer, bin *ifcb.Bin, pid string) error {
	z := zip.NewWriter(w)
	table, err := table1(bin, pid)
	if err != nil {
		return err
	}
	description, err := xml1(bin, pid)
	if err != nil {
		return err
	}
	add := func(name string, data []byte) error {
		entry, err := z.Create(name)
		if err == nil {
			_, err = entry.Write(data)
		}
		return err
	}
	if err := add(bin.ID.String()+".csv", table); err != nil {
		return err
	}
	if err := add(bin.ID.String()+".xml", description); err != nil {
		return err
	}
	if err := eachImage(bin, add); err != nil {
		return err
	}
	return z.Close()
}

// writeZip2 writes generation 2's zip: stored, sizes in the entries' own headers; metadata, header, the raw table,
// the images.
func writeZip2(w io.Writer, bin *ifcb.Bin, adcPath string) error {
	z := zip.NewWriter(w)
	add := func(name string, data []byte) error {
		entry, err := z.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data)),
		})
		if err == nil {
			_, err = entry.Write(data)
		}
		return err
	}
	metadata, err := json.Marshal(map[string]any{
		"lid": bin.ID.String(), "schema": int(bin.ID.Schema()), "timestamp": dateOffset(bin.ID),
	})
	if err != nil {
		return err
	}
	headers, err := json.Marshal(headerValues(bin.Header))
	if err != nil {
		return err
	}
	adc, err := os.ReadFile(adcPath)
	if err != nil {
		return err
	}
	for _, entry := range []struct {
		name string
		data []byte
	}{{"metadata.json", metadata}, {bin.ID.String() + "_headers.json", headers}, {bin.ID.String() + ".csv", adc}} {
		if err := add(entry.name, entry.data); err != nil {
			return err
		}
	}
	if err := eachImage(bin, add); err != nil {
		return err
	}
	return z.Close()
}

// eachImage adds the served images. One that the .roi file is too short for is left out.
func eachImage(bin *ifcb.Bin, add func(name string, data []byte) error) error {
	for _, roi := range bin.Served() {
		data, err := pngOf(bin, roi)
		if err != nil {
			continue
		}
		if err := add(bin.ID.Target(roi.Number).String()+".png", data); err != nil {
			return err
		}
	}
	return nil
}

// headerValues turns the numbers of a header into numbers.
func headerValues(h ifcb.Header) map[string]any {
	values := map[string]any{}
	for _, key := range h.Keys() {
		if v, ok := h.Float(key); ok {
			values[key] = v
		} else {
			values[key], _ = h.Get(key)
		}
	}
	return values
}

// table1 is generation 1's table: the columns' names, then a line per target; of a stitched pair one line with the
// box around both.
func table1(bin *ifcb.Bin, pid string) ([]byte, error) {
	names := ifcb.ColumnNames(bin.ID.Schema())
	rows := [][]string{append(append([]string{}, names...), "binID", "pid", "stitched", "targetNumber")}
	stitched, hidden := map[int]ifcb.ROI{}, map[int]bool{}
	for _, roi := range bin.Served() {
		if roi.Stitched() {
			stitched[roi.Number], hidden[roi.Second.Number] = roi, true
		}
	}
	for _, t := range bin.Targets {
		if hidden[t.Number] {
			continue
		}
		row := make([]string, len(names), len(names)+4)
		copy(row, t.Fields)
		flag := "0"
		if roi, ok := stitched[t.Number]; ok {
			flag = "1"
			box := roi.Rect().Union(roi.Second.Rect())
			for i, name := range names {
				switch name { // the names are those of a camera that lies on its side
				case "bottom":
					row[i] = strconv.Itoa(box.Min.X)
				case "left":
					row[i] = strconv.Itoa(box.Min.Y)
				case "height":
					row[i] = strconv.Itoa(box.Dx())
				case "width":
					row[i] = strconv.Itoa(box.Dy())
				}
			}
		}
		rows = append(rows, append(row, pid, fmt.Sprintf("%s_%05d", pid, t.Number), flag, strconv.Itoa(t.Number)))
	}
	var out bytes.Buffer
	err := csv.NewWriter(&out).WriteAll(rows)
	return out.Bytes(), err
}

func xml1(bin *ifcb.Bin, pid string) ([]byte, error) {
	type property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:",chardata"`
	}
	doc := struct {
		XMLName struct{}   `xml:"Bin"`
		PID     string     `xml:"pid"`
		Date    string     `xml:"date"`
		Header  []property `xml:"header"`
	}{PID: pid, Date: dateZ(bin.ID)}
	for _, key := range bin.Header.Keys() {
		value, _ := bin.Header.Get(key)
		doc.Header = append(doc.Header, property{key, value})
	}
	out, err := xml.MarshalIndent(doc, "", "  ")
	return append([]byte(xml.Header), out...), err
}
