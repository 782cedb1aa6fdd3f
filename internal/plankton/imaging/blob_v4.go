package imaging

import "math"

// blobMeter measures one blob after the other.
type blobMeter struct {
	blob, rim  Mask
	hull       hull
	thickness  thickness
	revolution revolution
}

// measure measures a blob, cropped to the box around it. Of the two volumes only that of the chosen method is computed,
// unless both are asked for.
func (b *blobMeter) measure(k *kernels, both bool) BlobV4 {
	var r BlobV4
	centre := r.measureAxes(&b.blob)
	rimOf(&b.rim, &b.blob)
	r.Perimeter = lengthOf(&b.rim)
	r.measureHull(&b.hull, &b.rim)
	r.AreaRatio = r.ConvexArea / float64(r.Area)
	r.P = r.EquivDiameter / r.MajorAxisLength
	r.Method = chooseMethod(r.AreaRatio, r.Eccentricity, r.P)
	if both || r.Method == DistanceMap {
		b.thickness.load(&b.rim)
		r.DistmapVolume = b.thickness.volume()
	}
	if both || r.Method == SOR {
		b.revolution.load(&b.blob, centre, r.Orientation)
		r.SORVolume = b.revolution.volume()
	}
	if r.Method == SOR {
		r.Biovolume, r.RepresentativeWidth, r.SurfaceArea = r.SORVolume, b.revolution.width(), b.revolution.surface(k)
	} else {
		r.Biovolume, r.RepresentativeWidth, r.SurfaceArea = r.DistmapVolume, b.thickness.width(), b.thickness.surface()
	}
	return r
}

// centroid is a blob's centre of mass times its area, in whole numbers.
type centroid struct{ area, sumX, sumY int }

// measureAxes computes area, box, axes and orientation.
func (r *BlobV4) measureAxes(m *Mask) centroid {
	var c centroid
	m.each(func(x, y int) { c.area, c.sumX, c.sumY = c.area+1, c.sumX+x, c.sumY+y })
	area := float64(c.area)
	// Coordinates count from 1, and sums are taken row after row: that fixes the last bit of the orientation, and with
	// it which pixels a rotated blob has.
	meanX, meanY := float64(c.sumX+c.area)/area, float64(c.sumY+c.area)/area
	var xx, yy, xy float64
	m.each(func(x, y int) {
		dx, dy := float64(x+1)-meanX, float64(y+1)-meanY
		xx += float64(dx * dx)
		yy += float64(dy * dy)
		xy += float64(dx * dy)
	})
	r.Area, r.BoundingBoxWidth, r.BoundingBoxHeight = c.area, m.width, m.height
	r.Extent = area / float64(m.width*m.height)
	r.EquivDiameter = math.Sqrt(4 * area / math.Pi)
	r.Orientation = orientation(xx, yy, xy)
	xx, yy, xy = xx/(area-1), yy/(area-1), xy/(area-1)
	middle, half := (yy+xx)/2, (yy-xx)/2
	root := math.Sqrt(float64(half*half) + float64(xy*xy))
	r.MajorAxisLength = 4 * math.Sqrt(max(middle+root, 0))
	r.MinorAxisLength = 4 * math.Sqrt(max(middle-root, 0))
	ratio := r.MinorAxisLength / r.MajorAxisLength
	r.Eccentricity = math.Sqrt(max(0, 1-float64(ratio*ratio)))
	return c
}

// orientation is the angle of the major axis in degrees from its central moments, counter-clockwise in the picture,
// above -90 and up to 90.
func orientation(xx, yy, xy float64) float64 {
	theta := -0.5 * (math.Atan2(2*xy, xx-yy) * (180 / math.Pi))
	if theta <= -90 {
		theta += 180
	}
	return theta + 0 // no negative zero
}
