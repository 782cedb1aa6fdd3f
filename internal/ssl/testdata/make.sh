#!/bin/sh
# Makes the stores of this folder with Java's keytool and with openssl, as people do.
set -eu
cd "$(dirname "$0")"
rm -f ./*.p12 ./*.jks ./*.pem
for form in pkcs12 jks; do
  end=$form; [ $form = jks ] || end=p12
  keytool -genkeypair -alias own -keyalg RSA -keysize 2048 -dname CN=java -ext san=ip:127.0.0.1,dns:localhost -validity 36500 \
    -storetype $form -keystore key.$end -storepass opensesame -keypass opensesame
  keytool -exportcert -rfc -alias own -keystore key.$end -storepass opensesame >cert.$form.pem
  keytool -importcert -noprompt -alias own -file cert.$form.pem -storetype $form -keystore trust.$end -storepass opensesame
done
cp cert.pkcs12.pem trust.pem
keytool -genkeypair -alias own -keyalg EC -dname CN=java -ext san=ip:127.0.0.1 -validity 36500 -storetype jks -keystore twopasswords.jks -storepass opensesame -keypass another
openssl pkcs12 -in key.p12 -passin pass:opensesame -nodes -nocerts 2>/dev/null | openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:opensesame -out encrypted.pem
cat trust.pem >>encrypted.pem
openssl pkcs12 -export -nokeys -in trust.pem -passout pass:opensesame -out unmarked.p12
openssl pkcs12 -in key.p12 -passin pass:opensesame -nodes -nocerts 2>/dev/null | openssl rsa -aes256 -traditional -passout pass:opensesame -out old.pem 2>/dev/null
rm cert.jks.pem cert.pkcs12.pem
