module example.org/custom-source

go 1.26.8

require github.com/axiom-data-science/hydraulics v0.0.0

// In a repository of your own: a released version above, and no replace.
replace github.com/axiom-data-science/hydraulics => ../..
