"""A minimal client of the two gRPC protocols, to compare with: it sends one tensor
that was made before, over and over, and prints images per second and the CPU time
it took per image in milliseconds.
usage: grpc_client.py open-inference|tfserving HOST:PORT MODEL BATCH CLIENTS IMAGES"""
import sys, threading, time
import grpc, numpy as np

protocol, server, model, batch, clients, images = sys.argv[1:4] + [int(a) for a in sys.argv[4:]]
options = [("grpc.max_receive_message_length", 1 << 30), ("grpc.max_send_message_length", 1 << 30)]
x = np.random.default_rng(1).random((batch, 224, 224, 3), dtype=np.float32)

if protocol == "open-inference":
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb, grpc_predict_v2_pb2_grpc as stubs

    def client():
        stub = stubs.GRPCInferenceServiceStub(grpc.insecure_channel(server, options))

        def ask():
            tensor = pb.ModelInferRequest.InferInputTensor(name="input", datatype="FP32", shape=x.shape)
            a = stub.ModelInfer(pb.ModelInferRequest(model_name=model, inputs=[tensor], raw_input_contents=[x.tobytes()]))
            return np.frombuffer(a.raw_output_contents[0], np.float32).reshape(batch, -1)
        return ask
else:
    from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    def client():
        stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(server, options))

        def ask():
            r = predict_pb2.PredictRequest()
            r.model_spec.name, r.model_spec.signature_name = model, "serving_default"
            shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in x.shape])
            r.inputs["input"].CopyFrom(tensor_pb2.TensorProto(dtype=1, tensor_shape=shape, tensor_content=x.tobytes()))
            a = stub.Predict(r).outputs["probabilities"]
            return np.array(a.float_val or np.frombuffer(a.tensor_content, np.float32), np.float32).reshape(batch, -1)
        return ask


def work(ask, n):
    for _ in range(n):
        assert abs(float(ask().sum()) / batch - 1) < 1e-3


asks = [client() for _ in range(clients)]
for ask in asks:
    ask()
rounds = max(1, images // (batch * clients))
threads = [threading.Thread(target=work, args=(ask, rounds)) for ask in asks]
wall, cpu = time.monotonic(), time.process_time()
for t in threads:
    t.start()
for t in threads:
    t.join()
n = rounds * batch * clients
print(n / (time.monotonic() - wall), 1000 * (time.process_time() - cpu) / n)
