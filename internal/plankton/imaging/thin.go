package imaging

// thin peels pixels off the edges of m without breaking lines, in at most so many iterations of two sub-iterations
// (Z. Guo and R. W. Hall, "Parallel thinning with two-subiteration algorithms", Comm. ACM 32, 1989). Outside the image
// nothing is set. work is overwritten.
func thin(m, work *Mask, iterations int) {
	for range iterations {
		before := m.Count()
		peel(work, m, true)
		peel(m, work, false)
		if m.Count() == before {
			return
		}
	}
}

// peel is one sub-iteration: dst is src without the pixels that go, all decided on src.
func peel(dst, src *Mask, first bool) {
	dst.reset(shape{src.width, src.height})
	for y := range src.height {
		above, here, below := src.hood(y-1), src.hood(y), src.hood(y+1)
		to := dst.row(y)
		for i, p := range here {
			if p == 0 {
				continue
			}
			// The eight neighbours from the east, counter-clockwise.
			x := [8]uint64{here.at(i, 1), above.at(i, 1), above.at(i, 0), above.at(i, -1),
				here.at(i, -1), below.at(i, -1), below.at(i, 0), below.at(i, 1)}
			to[i] = p &^ goes(&x, first)
		}
	}
}

// goes tells, for 64 pixels at once, which ones a sub-iteration removes.
func goes(x *[8]uint64, first bool) uint64 {
	// Condition 1: the pixel is on the edge of one part only, there is one crossing around it.
	var once, twice uint64
	for i := 0; i < 8; i += 2 {
		c := ^x[i] & (x[i+1] | x[(i+2)%8])
		twice |= once & c
		once |= c
	}
	crossing := once &^ twice
	// Condition 2: of the two ways to pair the neighbours, the one with fewer pairs set has 2 or 3.
	var one1, two1, one2, two2 uint64
	all1, all2 := ^uint64(0), ^uint64(0)
	for k := 1; k < 8; k += 2 {
		a, b := x[k]|x[k-1], x[k]|x[(k+1)%8]
		two1 |= one1 & a
		one1 |= a
		all1 &= a
		two2 |= one2 & b
		one2 |= b
		all2 &= b
	}
	inside := two1 & two2 &^ (all1 & all2)
	// Condition 3: south-east edges go in the first sub-iteration, north-west ones in the second.
	var side uint64
	if first {
		side = ^((x[1] | x[2] | ^x[7]) & x[0])
	} else {
		side = ^((x[5] | x[6] | ^x[3]) & x[4])
	}
	return crossing & inside & side
}
