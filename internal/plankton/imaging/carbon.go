package imaging

import "math"

// The carbon of one cell in pg C from its biovolume in um^3 (S. Menden-Deuer and E. J. Lessard, "Carbon to volume
// relationships for dinoflagellates, diatoms, and other protist plankton", Limnol. Oceanogr. 45, 2000, table 4).

// largeDiatom is the biovolume in um^3 from which, or above which, a diatom counts as large.
const largeDiatom = 3000

// Which relation counts for a diatom of which size: others have settled on others.
const (
	DiatomsAuto  = "auto"  // by size, 3000 um^3 counting as small (iRfcb's auto)
	DiatomsAll   = "all"   // that of diatoms of all sizes (iRfcb's all)
	DiatomsLarge = "large" // that of large diatoms (iRfcb's default)
	DiatomsWHOI  = "whoi"  // that of other protists below 3000 um^3, of large diatoms from there on (ifcb-analysis)
)

// Carbon is the carbon of a cell of um3 > 0. Diatoms have relations of their own, above 3000 um^3 another one, which
// gives less at that size: 135 pg C after 190. Everything that is no diatom counts as another protist.
func Carbon(um3 float64, diatom bool) float64 { return CarbonBy(DiatomsAuto, um3, diatom) }

// CarbonBy is [Carbon] with one of the ways to choose a diatom's relation.
func CarbonBy(diatoms string, um3 float64, diatom bool) float64 {
	switch {
	case !diatom:
		return protistCarbon(um3)
	case diatoms == DiatomsAll:
		return smallDiatomCarbon(um3)
	case diatoms == DiatomsLarge:
		return largeDiatomCarbon(um3)
	case diatoms == DiatomsWHOI && um3 < largeDiatom:
		return protistCarbon(um3)
	case diatoms == DiatomsWHOI, um3 > largeDiatom:
		return largeDiatomCarbon(um3)
	}
	return smallDiatomCarbon(um3)
}

func protistCarbon(um3 float64) float64     { return carbon(-0.665, 0.939, um3) }
func smallDiatomCarbon(um3 float64) float64 { return carbon(-0.541, 0.811, um3) }
func largeDiatomCarbon(um3 float64) float64 { return carbon(-0.933, 0.881, um3) }

// CarbonSeed is what the original computes: the protists' relation for diatoms and, for others, that of large diatoms
// with a misprint (-0.993). For comparison with its data only.
func CarbonSeed(um3 float64, diatom bool) float64 {
	if diatom {
		return protistCarbon(um3)
	}
	return carbon(-0.993, 0.881, um3)
}

// carbon is 10^constant um3^exponent.
func carbon(constant, exponent, um3 float64) float64 {
	return math.Pow(10, constant+float64(exponent*math.Log10(um3)))
}
