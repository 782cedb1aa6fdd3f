package imaging

import "math"

// The carbon of one cell in pg C from its biovolume in um^3 (S. Menden-Deuer and E. J. Lessard, "Carbon to volume
// relationships for dinoflagellates, diatoms, and other protist plankton", Limnol. Oceanogr. 45, 2000, table 4).

// largeDiatom is the biovolume in um^3 above which a diatom counts as large.
const largeDiatom = 3000

// Carbon is the carbon of a cell of um3 > 0. Diatoms have relations of their own, above 3000 um^3 another one, which
// gives less at that size: 135 pg C after 190. Everything that is no diatom counts as another protist.
func Carbon(um3 float64, diatom bool) float64 {
	switch {
	case !diatom:
		return carbon(-0.665, 0.939, um3)
	case um3 > largeDiatom:
		return carbon(-0.933, 0.881, um3)
	}
	return carbon(-0.541, 0.811, um3)
}

// CarbonSeed is what the original computes: the protists' relation for diatoms and, for others, that of large diatoms
// with a misprint (-0.993). For comparison with its data only.
func CarbonSeed(um3 float64, diatom bool) float64 {
	if diatom {
		return carbon(-0.665, 0.939, um3)
	}
	return carbon(-0.993, 0.881, um3)
}

// carbon is 10^constant um3^exponent.
func carbon(constant, exponent, um3 float64) float64 {
	return math.Pow(10, constant+float64(exponent*math.Log10(um3)))
}
