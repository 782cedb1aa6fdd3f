package imaging

import "image"

// AnalyseV4 finds and measures the blobs of an image as the present reference of the Woods Hole Oceanographic
// Institution does, ifcb-features 1.3: "v4" in the names of its files. Differently from [Analyser.Analyse] each
// connected blob is measured by itself. An error is an image without pixels or of more than [MaxPixels].
func (a *Analyser) AnalyseV4(gray *image.Gray) (ResultV4, error) {
	g, size, err := a.atOrigin(gray)
	if err != nil {
		return ResultV4{}, err
	}
	a.findBlobsV4(g, size)
	r := ResultV4{Width: size.width, Height: size.height, Status: NoBlob, Mask: a.mask.clone(), MaskArea: a.mask.Count()}
	for i, p := range a.components.parts(&a.mask) {
		a.components.crop(&a.v4.blob.blob, p)
		r.Blobs = append(r.Blobs, a.v4.blob.measure(a.filters.kernels, i == 0))
	}
	if len(r.Blobs) > 0 {
		r.Status = OK
		r.BiovolumeUm3 = r.Blobs[0].Biovolume * a.um3PerPx3
	}
	return r, nil
}
