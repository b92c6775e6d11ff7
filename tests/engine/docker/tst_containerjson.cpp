// SPDX-License-Identifier: MIT
#include "engine/docker/containerjson.h"

#include <QJsonArray>
#include <QTest>

using namespace Qt::StringLiterals;
using namespace isol8::docker;

class TestContainerJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void imageDecidesNothing();
    void limitsAndMounts();
    void unsetLimitsAreLeftOut();
    void streams();
};

void TestContainerJson::imageDecidesNothing()
{
    ContainerSpec spec;
    spec.image = u"isol8:python"_s;
    spec.entrypoint = { u"/.isol8/guest"_s };
    const auto json = toJson(spec);
    QCOMPARE(json.value(u"Image"_s).toString(), u"isol8:python"_s);
    QCOMPARE(json.value(u"Entrypoint"_s).toArray(), QJsonArray { u"/.isol8/guest"_s });
    // What an image could bring is sent, also where it is empty.
    for (const auto& key : { u"Cmd"_s, u"Env"_s, u"User"_s, u"WorkingDir"_s, u"Hostname"_s,
             u"Domainname"_s, u"StopSignal"_s, u"Labels"_s, u"Volumes"_s, u"ExposedPorts"_s })
        QVERIFY2(json.contains(key), qPrintable(key));
    QCOMPARE(json.value(u"Cmd"_s).toArray().size(), 0);
    QCOMPARE(json.value(u"User"_s).toString(), u"0:0"_s);
    QCOMPARE(json.value(u"Healthcheck"_s).toObject().value(u"Test"_s).toArray(),
        QJsonArray { u"NONE"_s });
    QCOMPARE(json.value(u"Tty"_s).toBool(true), false);

    const auto host = json.value(u"HostConfig"_s).toObject();
    QCOMPARE(host.value(u"Privileged"_s).toBool(true), false);
    QCOMPARE(host.value(u"NetworkMode"_s).toString(), u"none"_s);
    QCOMPARE(host.value(u"ReadonlyRootfs"_s).toBool(), true);
    QCOMPARE(host.value(u"LogConfig"_s).toObject().value(u"Type"_s).toString(), u"none"_s);
    QCOMPARE(host.value(u"RestartPolicy"_s).toObject().value(u"Name"_s).toString(), u"no"_s);
    QVERIFY(!host.contains(u"Binds"_s));
}

void TestContainerJson::limitsAndMounts()
{
    ContainerSpec spec;
    spec.capabilitiesDropped = { u"ALL"_s };
    spec.capabilitiesAdded = { u"KILL"_s };
    spec.securityOptions = { u"no-new-privileges"_s };
    spec.tmpfs = { { u"/tmp"_s, u"rw,noexec"_s } };
    spec.volumes = { { u"guest"_s, u"/.isol8"_s, true } };
    spec.binds = { { u"/run/x"_s, u"/.isol8-host"_s } };
    spec.ulimits = { { u"nofile"_s, 10, 20 } };
    spec.memoryBytes = 5'000'000'000;
    spec.memorySwapBytes = 5'000'000'001;
    spec.nanoCpus = 1'500'000'000;
    spec.pidsLimit = 66;
    spec.shmBytes = 1 << 20;
    const auto host = toJson(spec).value(u"HostConfig"_s).toObject();
    QCOMPARE(host.value(u"CapDrop"_s).toArray(), QJsonArray { u"ALL"_s });
    QCOMPARE(host.value(u"CapAdd"_s).toArray(), QJsonArray { u"KILL"_s });
    QCOMPARE(host.value(u"SecurityOpt"_s).toArray(), QJsonArray { u"no-new-privileges"_s });
    QCOMPARE(host.value(u"Tmpfs"_s).toObject().value(u"/tmp"_s).toString(), u"rw,noexec"_s);
    QCOMPARE(host.value(u"Memory"_s).toInteger(), 5'000'000'000);
    QCOMPARE(host.value(u"MemorySwap"_s).toInteger(), 5'000'000'001);
    QCOMPARE(host.value(u"NanoCpus"_s).toInteger(), 1'500'000'000);
    QCOMPARE(host.value(u"PidsLimit"_s).toInteger(), 66);
    QCOMPARE(host.value(u"ShmSize"_s).toInteger(), 1 << 20);
    QCOMPARE(host.value(u"CgroupnsMode"_s).toString(), u"private"_s);
    const auto mount = host.value(u"Mounts"_s).toArray().first().toObject();
    QCOMPARE(mount.value(u"Type"_s).toString(), u"volume"_s);
    QCOMPARE(mount.value(u"Source"_s).toString(), u"guest"_s);
    QCOMPARE(mount.value(u"ReadOnly"_s).toBool(), true);
    QCOMPARE(mount.value(u"VolumeOptions"_s).toObject().value(u"NoCopy"_s).toBool(), true);
    const auto bind = host.value(u"Mounts"_s).toArray().at(1).toObject();
    QCOMPARE(bind.value(u"Type"_s).toString(), u"bind"_s);
    QCOMPARE(bind.value(u"Source"_s).toString(), u"/run/x"_s);
    QCOMPARE(bind.value(u"Target"_s).toString(), u"/.isol8-host"_s);
    QCOMPARE(bind.value(u"ReadOnly"_s).toBool(), true);
    QCOMPARE(
        bind.value(u"BindOptions"_s).toObject().value(u"Propagation"_s).toString(), u"private"_s);
    const auto ulimit = host.value(u"Ulimits"_s).toArray().first().toObject();
    QCOMPARE(ulimit.value(u"Soft"_s).toInteger(), 10);
    QCOMPARE(ulimit.value(u"Hard"_s).toInteger(), 20);
}

void TestContainerJson::unsetLimitsAreLeftOut()
{
    ContainerSpec spec;
    spec.cgroupNamespace.clear();
    const auto host = toJson(spec).value(u"HostConfig"_s).toObject();
    for (const auto& key : { u"PidsLimit"_s, u"ShmSize"_s, u"CgroupnsMode"_s })
        QVERIFY2(!host.contains(key), qPrintable(key));
}

void TestContainerJson::streams()
{
    ContainerSpec spec;
    auto json = toJson(spec);
    QCOMPARE(json.value(u"OpenStdin"_s).toBool(), true);
    QCOMPARE(json.value(u"StdinOnce"_s).toBool(), true);
    QCOMPARE(json.value(u"AttachStdout"_s).toBool(), true);
    spec.isStdinClosedOnDetach = false;
    QCOMPARE(toJson(spec).value(u"StdinOnce"_s).toBool(true), false);
    spec.isStdinClosedOnDetach = true;
    spec.hasStdin = false;
    json = toJson(spec);
    QCOMPARE(json.value(u"OpenStdin"_s).toBool(true), false);
    QCOMPARE(json.value(u"StdinOnce"_s).toBool(true), false);
    QCOMPARE(json.value(u"AttachStdin"_s).toBool(true), false);
}

QTEST_GUILESS_MAIN(TestContainerJson)
#include "tst_containerjson.moc"
