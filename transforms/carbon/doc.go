// Package carbon adds the carbon content of a cell, from its biovolume and
// class, and whether the class is a harmful alga.
//
// Carbon follows S. Menden-Deuer and E. J. Lessard, Carbon to volume
// relationships for dinoflagellates, diatoms, and other protist plankton,
// Limnol. Oceanogr. 45(3), 2000, 569-579, doi 10.4319/lo.2000.45.3.0569, table 4:
//
//	log10 C = log10 a + b log10 V     C in pg, V in um^3
//
// with (log a, b) of (-0.665, 0.939) for protists but diatoms, (-0.541, 0.811)
// for diatoms, and (-0.933, 0.881) for diatoms above 3000 um^3; diatom.equation
// chooses among these as iRfcb or WHOI's ifcb-analysis do. A class that is
// not on the list of diatoms counts as another protist, and one that is not on
// the list of harmful algae as harmless: so does a class that no list knows.
package carbon
