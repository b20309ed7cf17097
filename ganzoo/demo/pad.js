const canvas = element.querySelector("canvas");
const pen = canvas.getContext("2d");
const ink = props.ink, paper = props.paper;
let last = null;

function blank() {
  pen.fillStyle = paper;
  pen.fillRect(0, 0, canvas.width, canvas.height);
}

function show(url) {
  blank();
  if (!url) return;
  const image = new Image();
  image.onload = () => pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.src = url;
}

function position(event) {
  const box = canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height,
  ];
}

function stroke(event) {
  const [x, y] = position(event);
  pen.strokeStyle = ink;
  pen.lineWidth = props.width;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(x, y);
  pen.stroke();
  last = [x, y];
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  last = position(event);
  stroke(event);
});
canvas.addEventListener("pointermove", (event) => last && stroke(event));
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    if (!last) return;
    last = null;
    props.value = canvas.toDataURL("image/png");
  });
}

blank();
watch("value", () => show(props.value));
