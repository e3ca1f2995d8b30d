"use strict";
// Shows what is typed into a password field, and says when Caps Lock is on.
// The page works without it.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    show(field.type === "password");
    field.focus();
  });
  // Browsers keep what stands in text fields, passwords are not theirs to keep.
  field.form.addEventListener("submit", () => show(false));
  const hint = field.closest(".field").querySelector("[data-capslock]");
  field.addEventListener("keyup", (event) => {
    hint.hidden = !event.getModifierState?.("CapsLock");
  });
}
