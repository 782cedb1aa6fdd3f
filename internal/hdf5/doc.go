// Package hdf5 writes small HDF5 files: arrays of numbers and texts in the root group, with texts as attributes.
//
// A file has what The HDF Group's File Format Specification 3.0 calls a superblock of version 2, object headers of
// version 2 with compact links, one chunk per dataset (deflated), and one heap of all texts. HDF5 1.10 and later reads it,
// and so do h5py, MATLAB and R. Everything is in memory: a file is written at once.
package hdf5
