// SPDX-License-Identifier: MIT
#include "app/serve/maskcheck.h"

#include <QTest>

using namespace isol8::serve;

namespace {

QByteArray frame(qsizetype size, bool isMasked = true)
{
    const char mask = isMasked ? char(0x80) : char(0);
    QByteArray bytes(1, char(0x81));
    if (size < 126) {
        bytes += char(mask | char(size));
    } else if (size < 1 << 16) {
        bytes += char(mask | 126);
        bytes += char(size >> 8);
        bytes += char(size);
    } else {
        bytes += char(mask | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += char(size >> shift);
    }
    // A payload that looks like frames without a mask.
    return bytes + (isMasked ? "mask" : "") + QByteArray(size, '\1');
}

} // namespace

class TestMaskCheck : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheFrameWithoutAMask_data();
    void findsTheFrameWithoutAMask();
    void skipsPayload();
};

void TestMaskCheck::findsTheFrameWithoutAMask_data()
{
    QTest::addColumn<qsizetype>("size");
    for (const qsizetype size : { 0, 1, 125, 126, 65'535, 65'536, 100'000 })
        QTest::addRow("%lld", static_cast<long long>(size)) << size;
}

void TestMaskCheck::findsTheFrameWithoutAMask()
{
    QFETCH(qsizetype, size);
    const auto good = frame(size) + frame(3) + frame(size);
    MaskCheck whole;
    QVERIFY(whole.feed(good));
    QCOMPARE(whole.payloadLeft(), 0u);
    QVERIFY(!whole.feed(frame(size, /*isMasked=*/false)));

    MaskCheck bytewise;
    for (const char byte : good)
        QVERIFY(bytewise.feed(QByteArrayView(&byte, 1)));
    QVERIFY(bytewise.feed("\x81"));
    QVERIFY(!bytewise.feed(QByteArrayView("\0", 1)));

    MaskCheck together;
    QVERIFY(!together.feed(good + frame(size, /*isMasked=*/false) + good));
}

void TestMaskCheck::skipsPayload()
{
    MaskCheck check;
    QVERIFY(check.feed(frame(100'000).first(20)));
    QCOMPARE(check.payloadLeft(), 100'000u + 14 - 20);
    check.skip(check.payloadLeft());
    QVERIFY(check.feed(frame(5)));
    QVERIFY(!check.feed(frame(5, /*isMasked=*/false)));
}

QTEST_GUILESS_MAIN(TestMaskCheck)
#include "tst_maskcheck.moc"
