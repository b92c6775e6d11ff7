// SPDX-License-Identifier: MIT
#include "ui/output/outputaccessible.h"

#include "ui/output/outputview.h"

#include <QAccessibleWidget>

namespace isol8::ui {

namespace {

class OutputAccessible : public QAccessibleWidget {
public:
    explicit OutputAccessible(OutputView* view)
        : QAccessibleWidget(view, QAccessible::Terminal)
        , m_view(view)
    {
    }

    QString text(QAccessible::Text what) const override
    {
        return what == QAccessible::Value ? m_view->visibleText() : QAccessibleWidget::text(what);
    }

private:
    OutputView* m_view; ///< Outlives its interface, which Qt deletes with it.
};

QAccessibleInterface* makeInterface(const QString&, QObject* object)
{
    auto* view = qobject_cast<OutputView*>(object);
    return view ? new OutputAccessible(view) : nullptr; // Qt owns it.
}

} // namespace

void installOutputAccessibility()
{
    QAccessible::installFactory(makeInterface);
}

} // namespace isol8::ui
