package imaging

import "math"

// The carbon of one cell in pg C from its biovolume in um^3 (S. Menden-Deuer and E. J. Lessard, "Carbon to volume
// relationships for dinoflagellates, diatoms, and other protist plankton", Limnol. Oceanogr. 45, 2000, table 4).

// largeDiatom is the biovolume in um^3 above which a diatom counts as large.
const largeDiatom = 3000

// CarbonProtist is for protists that are no diatoms.
func CarbonProtist(um3 float64) float64 { return carbon(-0.665, 0.939, um3) }

// CarbonDiatom is for diatoms. Those of more than 3000 um^3 have a formula of their own, which gives less at that size:
// 135 pg C after 190.
func CarbonDiatom(um3 float64) float64 {
	if um3 > largeDiatom {
		return carbon(-0.933, 0.881, um3)
	}
	return carbon(-0.541, 0.811, um3)
}

// CarbonSeed is what the original computes: the protists' formula for diatoms and, for others, that of large diatoms
// with a misprint (-0.993). For comparison with its data only.
func CarbonSeed(diatom bool, um3 float64) float64 {
	if diatom {
		return carbon(-0.665, 0.939, um3)
	}
	return carbon(-0.993, 0.881, um3)
}

func carbon(constant, exponent, um3 float64) float64 {
	return math.Pow(10, constant+float64(exponent*math.Log10(um3)))
}
