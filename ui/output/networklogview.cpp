// SPDX-License-Identifier: MIT
#include "ui/output/networklogview.h"

#include "engine/core/escape.h"
#include "ui/run/runsentences.h"

#include <QHeaderView>
#include <QLocale>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
enum Column { Time, Verdict, Method, Host, Path, Took, Rule, ColumnCount };
}

NetworkLogView::NetworkLogView(QWidget* parent)
    : QTableWidget(0, ColumnCount, parent)
{
    setObjectName(u"networkLog"_s);
    setAccessibleName(tr("Network log"));
    setHorizontalHeaderLabels({ tr("Time"), tr("Verdict"), tr("Method"), tr("Host"), tr("Path"),
        tr("Took"), tr("Because of") });
    horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    horizontalHeader()->setSectionResizeMode(Host, QHeaderView::Stretch);
    verticalHeader()->hide();
    horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
    setEditTriggers(NoEditTriggers);
    setSelectionBehavior(SelectRows);
    setTabKeyNavigation(false);
    setShowGrid(false);
    setFrameShape(QFrame::NoFrame);
}

void NetworkLogView::setEntries(const QList<NetworkLogEntry>& entries)
{
    setRowCount(int(entries.size()));
    for (int row = 0; row < entries.size(); ++row) {
        const auto& entry = entries[row];
        const auto set = [this, row](Column column, const QString& text) {
            setItem(row, column, new QTableWidgetItem(printable(text)));
        };
        set(Time, QLocale().toString(entry.timestamp.toLocalTime().time(), u"HH:mm:ss"_s));
        set(Verdict, entry.isAllowed ? u"✓ "_s + tr("allowed") : u"✗ "_s + tr("refused"));
        set(Method, entry.method);
        set(Host, entry.host);
        set(Path, entry.path.value_or(QString()));
        set(Took, entry.isAllowed ? timeText(entry.duration) : QString());
        set(Rule, entry.rule);
    }
}

} // namespace isol8::ui
