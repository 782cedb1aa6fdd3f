// Package model classifies images with models described by a manifest: ONNX
// files in this process (internal/infer/onnx), or models behind a server
// (internal/infer/serving).
//
// # Manifest
//
// NAME.yaml lies beside NAME.onnx and says how images are to be prepared and
// what the outputs mean:
//
//	name: demo-plankton
//	version: '1'
//	digest: sha256:47ae...       # of the file, and behind it those with its weights, if any; one that does not match is refused
//	input: {height: 64, width: 64, channels: 3, layout: NHWC, order: RGB}
//	resize: {filter: nearest, keep_aspect: false}
//	scale: 0.00392156862745098   # pixel values 0 to 255 are multiplied by it
//	mean: [0.485, 0.456, 0.406]  # then subtracted, where there is one (networks of PyTorch)
//	std: [0.229, 0.224, 0.225]   # and then divided by
//	output: probabilities        # or logits, which get a softmax here; {kind: logits, scores: NAME, embedding: NAME}
//	labels: [demo-chain, ...]    # one per output, in order
//
// A filter is one of Pillow's, nearest, box, bilinear, bicubic, lanczos, which
// all but nearest look at every pixel of an image that shrinks, or one of those
// of Keras's image_dataset_from_directory, keras-nearest, keras-bilinear, which
// do not. They give the pixels that Pillow and Keras give, bit for bit. With
// keep_aspect an image is fitted into the input, in its middle, and the rest is
// resize.fill: a pixel value, the mean of the image's four corners (corners), the
// median of its four sides (border-median), both without their fraction, or the
// image once more (reflect). It is resized and then padded; with resize.pad:
// before it is padded to the input's shape first, the odd pixel right or below, as
// trainers do that make images square. Gray images have three equal channels, colours become
// gray by ITU-R 601-2, transparency is dropped and 16 bits lose the lower 8.
//
// Of several outputs the one with a value per label holds the scores, or the one
// that output.scores names. On request a result has an embedding too: the tensor
// of the graph that output.embedding names, or the only other output.
//
// Everything may be left out. Without it a model has its file's name, the first
// twelve digits of its digest as the version (a remote one its own name and its
// server's version, and the labels of its metadata where it has them), the size
// that the model itself asks for (224 x 224 where it leaves that open), three channels in the order RGB, nearest neighbour,
// values divided by 255, and probabilities as output. Labels are those of
// NAME.classes, labels.txt or labels.json beside NAME.onnx, the first that is
// there: one a line, or JSON, a list or an object of label by index or of index by label. A
// model with 50 outputs and no labels has the 50 classes of the original
// hydraulics.
package model
